import { expect, it } from 'vitest'
import { SecretMaker, signatureOf } from './signing.js'

const key = 'k'.repeat(32)

it('signs as the example of Standard Webhooks does', () => {
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
  const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek'
  const message = { id, timestamp: 1_614_265_330, body: '{"test": 2432232314}' }
  expect(signatureOf(message, [secret])).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
})

it('signs with both secrets while one takes the place of the other', () => {
  const maker = new SecretMaker(key)
  const secrets = [maker.secretOf('w1', 2), maker.secretOf('w1', 1)]
  const message = { id: 'm', timestamp: 1, body: '{}' }
  const [newer, older, ...rest] = signatureOf(message, secrets).split(' ')
  expect([newer, older]).toEqual(secrets.map((secret) => signatureOf(message, [secret])))
  expect(newer).not.toBe(older)
  expect(rest).toEqual([])
})

it('makes a secret of 32 bytes for each webhook and number, the same each time', () => {
  const maker = new SecretMaker(key)
  const secret = maker.secretOf('w1', 1)
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
  expect(new SecretMaker(key).secretOf('w1', 1)).toBe(secret)
  const others = [
    maker.secretOf('w2', 1),
    maker.secretOf('w1', 2),
    new SecretMaker(`${key}x`).secretOf('w1', 1),
  ]
  expect(new Set([secret, ...others]).size).toBe(4)
})

it('knows its key from others by a name that is no part of it', () => {
  const maker = new SecretMaker(key)
  expect(maker.keyId).toBe(new SecretMaker(key).keyId)
  expect(maker.keyId).not.toBe(new SecretMaker(`${key}x`).keyId)
  expect(maker.keyId).toMatch(/^[0-9a-f]{16}$/)
  expect(() => new SecretMaker('short')).toThrow(/32/)
})
