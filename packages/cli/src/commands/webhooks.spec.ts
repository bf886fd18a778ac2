import { describe, expect, it } from 'vitest'
import { almanac, list } from '../../test-support/almanac.js'

const webhook = {
  id: 'wh_1',
  name: 'pager',
  url: 'https://hooks.example.com/x',
  enabled: true,
  events: ['run.failed'],
  runs: null,
  disabled: null,
  status: { delivered: 3, failed: 1, givenUp: 0 },
}

describe('webhooks', () => {
  it('are made with what they are told, and their secret is shown', async () => {
    const { out, asked } = await almanac(
      ['webhooks', 'create', 'pager', webhook.url, '-e', 'run.failed', '-l', 'team=a', '--runs', 'q'],
      () => ({ status: 201, body: { ...webhook, secret: 'whsec_x' } }),
    )
    expect(asked[0]?.body).toEqual({
      name: 'pager',
      url: webhook.url,
      events: ['run.failed'],
      labels: { team: 'a' },
      runs: { queue: 'q' },
    })
    expect(out).toContain('secret: whsec_x')
  })

  it('are listed, and found by name for everything else', async () => {
    const switchedOff = { ...webhook, enabled: false, disabled: { message: 'The receiver answered 410.' } }
    const { out } = await almanac(['webhooks', 'list'], () => list([switchedOff]))
    expect(out).toContain('switched off: The receiver answered 410.')
    const enabled = await almanac(['webhooks', 'enable', 'pager'], ({ method }) =>
      method === 'GET' ? list([switchedOff]) : { body: webhook },
    )
    expect(enabled.asked.at(-1)).toMatchObject({ method: 'PATCH', body: { enabled: true } })
    expect(enabled.asked.at(-1)?.path).toContain('/webhooks/wh_1')
    expect(enabled.out).toBe('pager: enabled\n')
    const failed = await almanac(['webhooks', 'ping', 'pager'], ({ method }) =>
      method === 'GET'
        ? list([webhook])
        : { body: { delivered: false, status: null, error: 'connect ECONNREFUSED', ms: 3 } },
    )
    expect([failed.code, failed.err]).toEqual([1, expect.stringContaining('connect ECONNREFUSED')])
    expect((await almanac(['webhooks', 'delete', 'none'], () => list([]))).code).toBe(1)
  })
})
