import type { OptionSpec } from '@almanac/adapters/system'

/** Where webhooks may go. */
export const webhookOptions = {
  webhookKeyFile: {
    kind: 'text',
    default: null,
    description:
      'File with the key that secrets of webhooks are made with, 32 characters or more, the same for all nodes of a ' +
      'cluster: without it they have no webhooks. A standalone server makes one in its data folder.',
  },
  webhookAllow: {
    kind: 'text',
    default: null,
    description:
      'Hosts and networks that webhooks may call although they are not public, with commas between: ' +
      '`hooks.corp.example`, `*.corp.example`, `10.1.0.0/16`, each with a port if it is not any. Everything else has ' +
      'to be a public address.',
  },
  webhookHttp: { kind: 'boolean', default: false, description: 'Webhooks may call addresses without TLS.' },
  webhookPorts: {
    kind: 'text',
    default: '443',
    description: 'Ports that webhooks may call, with commas between.',
  },
} as const satisfies { readonly [name: string]: OptionSpec }
