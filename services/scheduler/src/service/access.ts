import type { KafkaAccess } from '@almanac/adapters/kafka'
import {
  type AccessRefused,
  environmentName,
  type OptionValue,
  readTlsFiles,
  type ServerAccess,
} from '@almanac/adapters/system'
import { accessOptions } from './access-options.js'
import { secretOf } from './secret-file.js'

export type ServerName = 'eventstore' | 'kafka' | 'redis'

/** How each of the servers is entered, beside its address. */
export interface ServersAccess {
  readonly eventstore: ServerAccess
  readonly kafka: KafkaAccess
  readonly redis: ServerAccess
}

type Values = ReadonlyMap<string, OptionValue>

/** Reads the files too. A sentence for each problem; none has a password in it. */
export function accessOf(values: Values): {
  readonly access: ServersAccess
  readonly problems: readonly string[]
} {
  const problems: string[] = []
  const of = (server: ServerName) => accessTo(server, values, (problem) => problems.push(problem))
  return { access: { eventstore: of('eventstore'), kafka: of('kafka'), redis: of('redis') }, problems }
}

function accessTo(server: ServerName, values: Values, report: (problem: string) => void): KafkaAccess {
  const textOf = (name: string) => {
    const value = values.get(server + name)
    return typeof value === 'string' ? value : undefined
  }
  const given = optionsOf(server).filter((option) => (values.get(option) ?? null) !== null)
  const [first] = given
  if (first !== undefined && (values.get(server) ?? null) === null) {
    report(`${environmentName(first)} is set, and ${environmentName(server)} is not.`)
    return {}
  }
  const access: KafkaAccess = present({
    user: textOf('User'),
    password: secretOf(
      { option: `${server}Password`, value: textOf('Password'), file: textOf('PasswordFile') },
      report,
    ),
    sasl: textOf('Sasl'),
    caFile: textOf('Ca'),
    certFile: textOf('Cert'),
    keyFile: textOf('Key'),
  })
  try {
    readTlsFiles(access)
  } catch (error) {
    const names = certificateOptions(server).map(environmentName).join(', ')
    report(`${names}: ${error instanceof Error ? error.message : error}.`)
  }
  return access
}

const present = <T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T

const optionsOf = (server: ServerName): readonly string[] =>
  Object.keys(accessOptions).filter((option) => option.startsWith(server))

const certificateOptions = (server: ServerName): readonly string[] =>
  optionsOf(server).filter((option) => /(Ca|Cert|Key)$/.test(option))

/** Whether an option is one of how servers are entered: it is kept nowhere else then. */
export const isAccessOption = (option: string): boolean => Object.hasOwn(accessOptions, option)

/** The sentence that the user is told when there is no way in: what was answered, and where it can be changed. */
export function accessProblem(server: ServerName, { message, problem }: AccessRefused): string {
  const isCertificate = problem === 'certificate'
  const own = optionsOf(server).filter(
    (option) => certificateOptions(server).includes(option) === isCertificate,
  )
  const names = [server, ...own].map(environmentName).join(', ')
  const what = isCertificate ? 'Whom it trusts, and what it shows' : 'User and password'
  return `${message.replace(/\.?$/, '.')} ${what}: see ${names}.`
}
