import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type JwtOptions, JwtVerifier, jwtAlgorithms } from './jwt.js'

const now = Date.parse('2026-03-01T12:00:00Z')
const clock = { now: () => now }
const s = now / 1_000

let keys: Awaited<ReturnType<typeof generateKeyPair>>
let other: typeof keys
let folder: string
let options: JwtOptions
beforeAll(async () => {
  keys = await generateKeyPair('RS256', { extractable: true })
  other = await generateKeyPair('RS256')
  folder = mkdtempSync(join(tmpdir(), 'almanac-jwt-'))
  const jwks = join(folder, 'jwks.json')
  writeFileSync(
    jwks,
    JSON.stringify({ keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'k1', alg: 'RS256' }] }),
  )
  options = {
    jwks,
    issuer: 'https://issuer.example',
    audience: 'almanac',
    algorithms: ['RS256', 'ES256'],
    scopeClaim: 'scope',
    namespaceClaim: 'almanac_namespaces',
  }
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const good = {
  iss: 'https://issuer.example',
  aud: 'almanac',
  sub: 'mia',
  iat: s,
  exp: s + 600,
  scope: 'tasks:read email admin',
  almanac_namespaces: ['shop', 'bank'],
}
const signed = (payload: JWTPayload, kid = 'k1', by = keys.privateKey) =>
  new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid }).sign(by)
const without = (name: keyof typeof good) =>
  Object.fromEntries(Object.entries(good).filter(([claim]) => claim !== name))

describe('a token', () => {
  it('tells who, what for and where, when it is good', async () => {
    expect(await new JwtVerifier(options, clock).verify(await signed(good))).toEqual({
      subject: 'mia',
      scopes: ['tasks:read', 'admin'],
      namespaces: ['shop', 'bank'],
      expiresAt: now + 630_000,
    })
  })

  it('takes a list of scopes, one namespace, and a star for all', async () => {
    const verifier = new JwtVerifier(options, clock)
    const one = await signed({ ...good, scope: ['runs:read', 7], almanac_namespaces: 'shop' })
    expect(await verifier.verify(one)).toMatchObject({ scopes: ['runs:read'], namespaces: ['shop'] })
    expect(await verifier.verify(await signed({ ...good, almanac_namespaces: '*' }))).toMatchObject({
      namespaces: null,
    })
  })

  it('opens nothing that its claims do not say', async () => {
    const bare = await signed({ ...without('scope'), almanac_namespaces: undefined })
    expect(await new JwtVerifier(options, clock).verify(bare)).toMatchObject({ scopes: [], namespaces: [] })
  })

  it.each([
    ['of another issuer', () => signed({ ...good, iss: 'https://evil.example' })],
    ['for somebody else', () => signed({ ...good, aud: 'other' })],
    ['that has ended', () => signed({ ...good, iat: s - 600, exp: s - 31 })],
    ['that does not hold yet', () => signed({ ...good, nbf: s + 31 })],
    ['without an end', () => signed(without('exp'))],
    ['without a subject', () => signed(without('sub'))],
    ['without the time of its making', () => signed(without('iat'))],
    ['that lives too long', () => signed({ ...good, exp: s + 90_000 })],
    ['whose subject has a line break', () => signed({ ...good, sub: 'mia\nroot' })],
    ['signed by another key', () => signed(good, 'k1', other.privateKey)],
    ['of a key that is not known', () => signed(good, '../../etc/passwd')],
    ['without a signature', async () => new UnsecuredJWT(good).encode()],
    [
      'signed with the public key as a shared secret',
      async () =>
        new SignJWT(good)
          .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
          .sign(new TextEncoder().encode(await exportSPKI(keys.publicKey))),
    ],
    ['that is none', async () => 'x.y.z'],
    ['of a megabyte', async () => `e30.${'A'.repeat(1_000_000)}.x`],
    [
      'that was changed on the way',
      async () => (await signed(good)).replace(/\.[^.]+\./, '.eyJzdWIiOiJyb290In0.'),
    ],
  ])('%s is not taken', async (_, token) => {
    expect(await new JwtVerifier(options, clock).verify(await token())).toBeUndefined()
  })

  it('is taken by no algorithm that was left out', async () => {
    const verifier = new JwtVerifier({ ...options, algorithms: ['ES256'] }, clock)
    expect(await verifier.verify(await signed(good))).toBeUndefined()
    expect(jwtAlgorithms.filter((name) => name.startsWith('HS') || name === 'none')).toEqual([])
  })
})

describe('the keys of the issuer', () => {
  let server: Server
  let status = 200
  let url: string
  beforeAll(async () => {
    const set = JSON.stringify({ keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'k1', alg: 'RS256' }] })
    server = createServer((_, response) => response.writeHead(status).end(status === 200 ? set : 'no'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
  })
  afterAll(() => server.close())

  it('are fetched', async () => {
    status = 200
    expect(await new JwtVerifier({ ...options, jwks: url }, clock).verify(await signed(good))).toMatchObject({
      subject: 'mia',
    })
  })

  it('that can not be had are a fault, and no bad token', async () => {
    status = 500
    const verifying = new JwtVerifier({ ...options, jwks: url }, clock).verify(await signed(good))
    await expect(verifying).rejects.toMatchObject({ code: 'unavailable' })
    const nobody = new JwtVerifier({ ...options, jwks: 'http://127.0.0.1:1/jwks' }, clock).verify(
      await signed(good),
    )
    await expect(nobody).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('are never fetched in the open, and a file has to have them', () => {
    const opened = (jwks: string) => () => new JwtVerifier({ ...options, jwks }, clock)
    expect(opened('http://issuer.example/jwks')).toThrow('by https only')
    expect(opened(join(folder, 'none.json'))).toThrow('can not be read')
    writeFileSync(join(folder, 'bad.json'), '{"keys": 5}')
    expect(opened(join(folder, 'bad.json'))).toThrow('no JSON Web Key Set')
  })
})
