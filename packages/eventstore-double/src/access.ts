import type { Metadata } from '@grpc/grpc-js'
import { accessDenied, badCredentials } from './rpc/refusals.js'
import type { Log } from './store/log.js'

export interface DoubleUser {
  readonly password: string
  /** `$admins` and `$ops` have the rights that these groups have in the server. @default none */
  readonly groups?: readonly string[]
}

/** Who may do what. Without users the server is open, as one that runs with `--insecure`. */
export class Access {
  private readonly users: Readonly<Record<string, DoubleUser>> | undefined

  constructor(users: Readonly<Record<string, DoubleUser>> | undefined) {
    this.users = users
  }

  checkRead(metadata: Metadata, log: Log, stream: string): void {
    this.check(metadata, log, stream, log.metadataOf(stream).readRoles)
  }

  checkWrite(metadata: Metadata, log: Log, stream: string): void {
    this.check(metadata, log, stream, log.metadataOf(stream).writeRoles)
  }

  private check(metadata: Metadata, log: Log, stream: string, roles: readonly string[] | undefined): void {
    if (this.users === undefined) return
    const own = this.rolesOf(metadata)
    if (own.includes('$admins')) return
    // Streams of the system, `$all` among them, are for administrators, unless their metadata says otherwise.
    const allowed = roles ?? (stream.startsWith('$') ? ['$admins'] : ['$all'])
    if (allowed.includes('$all') || own.some((role) => allowed.includes(role))) return
    if (stream.startsWith('$$') && roles === undefined) {
      this.check(metadata, log, stream.slice(2), log.metadataOf(stream.slice(2)).writeRoles)
      return
    }
    throw accessDenied()
  }

  private rolesOf(metadata: Metadata): readonly string[] {
    const [header] = metadata.get('authorization')
    if (header === undefined) throw accessDenied()
    const given = /^Basic (.+)$/.exec(`${header}`)?.[1] ?? ''
    const [name = '', ...rest] = Buffer.from(given, 'base64').toString('utf8').split(':')
    const user = this.users?.[name]
    if (user === undefined || user.password !== rest.join(':')) throw badCredentials()
    return [name, ...(user.groups ?? [])]
  }
}
