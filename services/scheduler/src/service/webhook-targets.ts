import { environmentName, type OptionValue } from '@almanac/adapters/system'
import { type AllowEntry, parseAllowEntry, type TargetPolicy } from '@almanac/adapters/webhooks'
import { webhookOptions } from './webhook-options.js'

type Values = ReadonlyMap<string, OptionValue>

export const isWebhookOption = (option: string): boolean => Object.hasOwn(webhookOptions, option)

const listIn = (values: Values, option: string): readonly string[] =>
  String(values.get(option) ?? '')
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '')

/** Where webhooks may go, as it is configured. A sentence for each entry that is wrong. */
export function targetsOf(values: Values): {
  readonly webhookTargets: TargetPolicy
  readonly problems: readonly string[]
} {
  const problems: string[] = []
  const allow = listIn(values, 'webhookAllow').flatMap((text): AllowEntry[] => {
    const entry = parseAllowEntry(text)
    if (entry !== undefined) return [entry]
    problems.push(
      `${environmentName('webhookAllow')} has "${text}", which is no host, no network and no address.`,
    )
    return []
  })
  const ports = listIn(values, 'webhookPorts').flatMap((text) => {
    const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
    if (port >= 1 && port <= 65_535) return [port]
    problems.push(`${environmentName('webhookPorts')} has "${text}", which is no port.`)
    return []
  })
  return { webhookTargets: { http: values.get('webhookHttp') === true, ports, allow }, problems }
}
