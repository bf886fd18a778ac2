import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newKey } from '@almanac/adapters/tokens'
import type { ApiKey } from '@almanac/domain'
import { SeededRandom } from '@almanac/engine'
import { afterAll, describe, expect, it } from 'vitest'
import { accessFor, type Callers, refuseUnentered } from './callers.js'
import { resolveConfig } from './config.js'

const folder = mkdtempSync(join(tmpdir(), 'almanac-callers-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const key = newKey(new SeededRandom(1))
const keyFile = join(folder, 'key')
writeFileSync(keyFile, `${key.text}\n`)

const configured = (env: Record<string, string>) => {
  const resolved = resolveConfig({ env })
  return resolved.ok ? resolved.config.callers : resolved.problems
}
const jwt = {
  ALMANAC_JWT_JWKS: 'https://issuer.example/jwks',
  ALMANAC_JWT_ISSUER: 'https://issuer.example',
  ALMANAC_JWT_AUDIENCE: 'almanac',
}

describe('how callers get in', () => {
  it.each([{ ALMANAC_BOOTSTRAP_KEY: key.text }, { ALMANAC_BOOTSTRAP_KEY_FILE: keyFile }])('by %j', (env) => {
    const { keyId, secretHash } = key
    expect(configured(env)).toMatchObject({ bootstrap: { keyId, secretHash } })
    expect(JSON.stringify(configured(env))).not.toContain(key.text.split('.')[1])
  })

  it('by tokens', () => {
    expect(configured({ ...jwt, ALMANAC_JWT_ALGORITHMS: 'ES256, EdDSA' })).toMatchObject({
      jwt: {
        issuer: 'https://issuer.example',
        audience: 'almanac',
        algorithms: ['ES256', 'EdDSA'],
        scopeClaim: 'scope',
      },
    })
  })

  it.each<[Record<string, string>, string]>([
    [{ ALMANAC_BOOTSTRAP_KEY: 'swordfish' }, 'ALMANAC_BOOTSTRAP_KEY is no key'],
    [{ ALMANAC_BOOTSTRAP_KEY: key.text, ALMANAC_BOOTSTRAP_KEY_FILE: keyFile }, 'both set'],
    [{ ALMANAC_BOOTSTRAP_KEY_FILE: join(folder, 'none') }, 'can not be read'],
    [
      { ALMANAC_JWT_JWKS: 'https://issuer.example/jwks' },
      'ALMANAC_JWT_ISSUER and ALMANAC_JWT_AUDIENCE are not set',
    ],
    [{ ...jwt, ALMANAC_JWT_ALGORITHMS: 'HS256' }, 'not HS256'],
    [{ ...jwt, ALMANAC_JWT_ALGORITHMS: 'none' }, 'not none'],
  ])('not by %j', (env, words) => {
    const problems = configured(env)
    expect(problems).toHaveLength(1)
    expect(JSON.stringify(problems)).toContain(words)
    expect(JSON.stringify(problems)).not.toMatch(/swordfish|alm_[0-9a-f]{12}/)
  })

  it('not by keys of an issuer that can not be used', () => {
    const callers = configured({ ...jwt, ALMANAC_JWT_JWKS: join(folder, 'none.json') }) as Callers
    expect(() => accessFor(callers, { now: () => 0 })).toThrow('ALMANAC_JWT_JWKS: the file')
  })
})

describe('a server that others can reach', () => {
  const open = { isLocal: false, bootstrap: null, jwt: null }
  const keys = (...all: ApiKey[]) => ({ keys: () => all })

  it('does not start when nobody could get in', () => {
    expect(() => refuseUnentered(open, '0.0.0.0', keys())).toThrow('ALMANAC_HOST is 0.0.0.0')
    expect(() => refuseUnentered({ ...open, isLocal: true }, '127.0.0.1', keys())).not.toThrow()
    expect(() => refuseUnentered({ ...open, bootstrap: key }, '0.0.0.0', keys())).not.toThrow()
    expect(() => refuseUnentered(open, '0.0.0.0', keys({} as ApiKey))).not.toThrow()
  })
})
