import { newKey } from '@almanac/adapters/tokens'
import type { ApiKeyJson } from '@almanac/protocol'
import { refused } from '../failure.js'
import type { Server } from '../http/server.js'
import type { Column } from '../output/table.js'
import { counted, visible } from '../output/text.js'
import { instantOf, relative } from '../output/time.js'
import { type ServerOptions, Session } from '../session.js'
import type { World } from '../world.js'
import { moment } from './tasks-show.js'

export interface CreateKeyOptions extends ServerOptions {
  readonly name: string
  readonly scope: readonly string[]
  readonly only?: string
  readonly expires?: string
  readonly reason?: string
}

export interface ListKeysOptions extends ServerOptions {
  readonly all?: boolean
}

type CreatedKey = ApiKeyJson & { readonly key: string | null }

export const createKey = async (world: World, options: CreateKeyOptions) => {
  const session = new Session(world, options)
  const { name, scope, only, expires, reason } = options
  const body = {
    name,
    scopes: scope.flatMap((text) => text.split(',')).map((text) => text.trim()),
    ...(only === undefined ? {} : { namespace: only }),
    ...(expires === undefined
      ? {}
      : { expiresAt: new Date(session.instant('--expires', expires)).toISOString() }),
    ...(reason === undefined ? {} : { reason }),
  }
  const { body: created } = await session.server.askRoot<CreatedKey>('/v1/keys', { method: 'POST', body })
  if (session.json) return session.document(created)
  session.line(created.key ?? '')
  session.notice(
    `Key "${visible(created.name)}" (${created.id}): ${created.scopes.join(', ')} in ` +
      `${created.namespace ?? 'all namespaces'}. ` +
      'This is the only time that it is shown. Use it as ALMANAC_KEY, or as the header Authorization: Bearer.',
  )
}

export const listKeys = async (world: World, options: ListKeysOptions) => {
  const session = new Session(world, options)
  const keys = await allKeys(session.server, options.all === true ? {} : { live: true })
  if (session.json) return session.document({ items: keys, nextCursor: null, total: keys.length })
  if (keys.length === 0) return session.line('No keys.')
  session.table(columns(session), keys)
  session.notice(counted(keys.length, 'key'))
}

export const revokeKey = async (
  world: World,
  wanted: string,
  options: ServerOptions & { readonly reason?: string },
) => {
  const session = new Session(world, options)
  const keys = await allKeys(session.server, {})
  const key = keys.find((each) => each.live && each.name === wanted) ?? keys.find(({ id }) => id === wanted)
  if (key === undefined) throw refused(`There is no key "${visible(wanted)}" here.`)
  const { reason } = options
  const body = reason === undefined ? {} : { body: { reason } }
  await session.server.askRoot(`/v1/keys/${encodeURIComponent(key.id)}`, { method: 'DELETE', ...body })
  session.notice(`Key "${visible(key.name)}" (${key.id}) opens nothing any more.`)
}

export const generateKey = async (world: World) => {
  const { systemRandom } = await import('@almanac/adapters/system')
  world.out.write(`${newKey(systemRandom()).text}\n`)
}

async function allKeys(server: Server, query: { readonly live?: boolean }): Promise<readonly ApiKeyJson[]> {
  const all: ApiKeyJson[] = []
  for (let cursor: string | undefined; ; ) {
    const { body } = await server.askRoot<{ items: ApiKeyJson[]; nextCursor: string | null }>('/v1/keys', {
      query: { ...query, limit: 200, cursor },
    })
    all.push(...body.items)
    if (body.nextCursor === null) return all
    cursor = body.nextCursor
  }
}

const columns = (session: Session): Column<ApiKeyJson>[] => {
  const { bold, dim } = session.world.out.paint
  const ago = (text: string | null) => {
    const at = instantOf(text)
    return at === null ? 'never' : relative(at, session.now)
  }
  const ending = ({ revokedAt, expiresAt }: ApiKeyJson) =>
    revokedAt === null ? ago(expiresAt) : `revoked ${ago(revokedAt)}`
  return [
    { title: 'NAME', value: ({ name }) => visible(name), min: 12, style: bold },
    { title: 'ID', value: ({ id }) => id, style: dim },
    { title: 'NAMESPACE', value: ({ namespace }) => namespace ?? 'all' },
    { title: 'SCOPES', value: ({ scopes }) => scopes.join(' '), min: 14 },
    { title: 'ENDS', value: ending },
    { title: 'USED', value: ({ lastUsedAt }) => ago(lastUsedAt), drop: 1 },
    {
      title: 'CREATED',
      value: ({ createdAt, createdBy }) => `${moment(session, createdAt)} by ${visible(createdBy)}`,
      drop: 2,
    },
  ]
}
