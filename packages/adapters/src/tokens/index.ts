export { type JwtClaims, type JwtOptions, JwtVerifier, jwtAlgorithms } from './jwt.js'
export { type KeyText, newKey, readKey, sameHash } from './key-text.js'
