import { saslMechanisms } from '@almanac/adapters/kafka'
import type { OptionSpec } from '@almanac/adapters/system'

type TextSpec = Extract<OptionSpec, { readonly kind: 'text' }>

const text = (description: string): TextSpec => ({ kind: 'text', default: null, description })

const user = (server: string) =>
  text(`Name of the user that asks ${server}. In place of the one in the address.`)

const password = (server: string): TextSpec => ({
  ...text(
    `Password for ${server}, as it is: nothing in it is escaped. Flags can be read by all users of a host: use ` +
      'the file.',
  ),
  secret: true,
})

const passwordFile = (server: string) =>
  text(`File with the password for ${server}; one line break at its end is no part of it. Read at the start.`)

const ca = (server: string, tls: string) =>
  text(`File with the authorities, in PEM, that vouch for ${server}. Unset: those of the system. ${tls}`)

const cert = (server: string) =>
  text(`File with the certificate, in PEM, by which ${server} knows this process.`)

const key = (server: string) =>
  text(`File with the key, in PEM, of the certificate that is shown to ${server}.`)

/** How the servers of a cluster are entered. What is set here need not be in their addresses, and must not be. */
export const accessOptions = {
  eventstoreUser: user('the event store'),
  eventstorePassword: password('the event store'),
  eventstorePasswordFile: passwordFile('the event store'),
  eventstoreCa: ca('the event store', 'Its address has no `tls=false` then.'),
  kafkaUser: user('Kafka'),
  kafkaPassword: password('Kafka'),
  kafkaPasswordFile: passwordFile('Kafka'),
  kafkaSasl: {
    kind: 'choice',
    of: saslMechanisms,
    default: null,
    description: 'How Kafka is shown the password. Unset: as the address says, or `plain`.',
  },
  kafkaCa: ca('the brokers', 'Asks for TLS, as `?tls=true` in the address does.'),
  kafkaCert: cert('Kafka'),
  kafkaKey: key('Kafka'),
  redisUser: user('Redis'),
  redisPassword: password('Redis, all servers'),
  redisPasswordFile: passwordFile('Redis, all servers'),
  redisCa: ca('Redis', 'Its addresses begin with `rediss://` then.'),
  redisCert: cert('Redis'),
  redisKey: key('Redis'),
} as const satisfies { readonly [name: string]: OptionSpec }
