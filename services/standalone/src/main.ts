import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import {
  DatabaseDamaged,
  FolderInUse,
  openStore,
  SchemaTooNew,
  type Store,
  TailLost,
} from '@almanac/adapters/sqlite'
import { systemClock, systemRandom } from '@almanac/adapters/system'
import { type AccessLine, type Api, buildApi } from '@almanac/api'
import { defaultNodeOptions, Node, type Random } from '@almanac/engine'
import type { StandaloneConfig } from './config.js'
import { holdToFounding } from './founding.js'
import { StartProblem } from './start-problem.js'

const require = createRequire(import.meta.url)
export const version: string = require('../package.json').version

export interface StartCallbacks {
  /** Read models being built: how far, of how much. */
  readonly onProgress?: (position: number, head: number) => void
  /** Something worth telling: a repair, a fault that is tried again. */
  readonly notice?: (message: string) => void
  /** The server cannot go on and must be stopped: storage failed, or a loop of it ended. */
  readonly onFatal?: (error: unknown) => void
  readonly accessLog?: (line: AccessLine) => void
}

export interface Standalone {
  /** `http://127.0.0.1:7420` */
  readonly url: string
  /** Answers requests under way, finishes the tick under way, closes the files. May be called again. */
  stop(): Promise<void>
}

/**
 * Starts everything in this process and resolves when it is ready: read models up to date, every partition owned.
 * The port is taken first, so that `/livez` answers while large read models are being built. Throws `StartProblem`
 * for what the user can mend.
 */
export async function startStandalone(
  config: StandaloneConfig,
  callbacks: StartCallbacks = {},
): Promise<Standalone> {
  const clock = systemClock()
  const random = systemRandom()
  const onFatal = callbacks.onFatal ?? (() => {})
  const notice = callbacks.notice ?? (() => {})
  const store = open(config, { clock, random, onFatal, notice })
  const undo: (() => Promise<unknown>)[] = [() => store.close()]
  try {
    const { cluster, partitions, node: nodeId } = config
    await holdToFounding(store.eventLog, clock, { cluster, partitions }, nodeId)
    const node = new Node(
      {
        log: store.eventLog,
        dispatchLog: store.dispatchLog,
        views: store.viewStore,
        runs: store.runStore,
        clock,
        random,
      },
      nodeOptions(config),
      {
        onProgress: callbacks.onProgress ?? (() => {}),
        onFault: (message, fault) => notice(`${message}: ${messageOf(fault)}`),
        onFatal,
      },
    )
    let ready = false
    const api = await buildApi({
      app: node,
      clock,
      instanceToken: random.token(4),
      version,
      ready: () => ready,
      onInternalError: (error, request) => notice(`${request.url} (${request.id}): ${stackOf(error)}`),
      ...(callbacks.accessLog === undefined ? {} : { accessLog: callbacks.accessLog }),
    })
    undo.push(() => api.close())
    const url = await listen(api, config)
    undo.splice(1, 0, () => node.stop())
    await node.start()
    ready = true
    return { url, stop: once(() => unwind(undo)) }
  } catch (error) {
    await unwind(undo)
    throw error
  }
}

/** Last opened, first closed. A step that fails does not keep the others from closing. */
async function unwind(undo: readonly (() => Promise<unknown>)[]): Promise<void> {
  const faults: unknown[] = []
  for (const step of [...undo].reverse()) await step().catch((fault: unknown) => faults.push(fault))
  if (faults.length > 0) throw faults[0]
}

function open(
  config: StandaloneConfig,
  parts: Pick<Parameters<typeof openStore>[0], 'clock' | 'onFatal' | 'notice'> & { readonly random: Random },
): Store {
  const { data: folder, check, acceptLoss } = config
  try {
    return openStore({ folder, check, acceptLoss, ...parts })
  } catch (error) {
    if (error instanceof TailLost) {
      const way =
        'Restore a backup, or start with --accept-loss (ALMANAC_ACCEPT_LOSS=true) to go on without it.'
      throw new StartProblem(`${error.message}\n${way}`, error)
    }
    if (error instanceof FolderInUse || error instanceof DatabaseDamaged || error instanceof SchemaTooNew) {
      throw new StartProblem(error.message, error)
    }
    throw new StartProblem(`${folder} cannot be opened (ALMANAC_DATA): ${messageOf(error)}`, error)
  }
}

async function listen(api: Api, { host, port }: StandaloneConfig): Promise<string> {
  try {
    await api.listen({ host, port })
  } catch (error) {
    const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EADDRINUSE') {
      throw new StartProblem(
        `Port ${port} of ${host} is in use: set ALMANAC_PORT (or --port) to another one.`,
        error,
      )
    }
    if (code === 'EACCES') {
      throw new StartProblem(
        `Port ${port} may not be used by this user: set ALMANAC_PORT to one above 1023.`,
        error,
      )
    }
    throw new StartProblem(`${host} cannot be listened on (ALMANAC_HOST): ${messageOf(error)}`, error)
  }
  const address = api.server.address() as AddressInfo
  return `http://${host === '::1' ? '[::1]' : host}:${address.port}`
}

const nodeOptions = (config: StandaloneConfig) => ({
  ...defaultNodeOptions,
  cluster: config.cluster,
  nodeId: config.node,
  partitions: config.partitions,
  misfireGraceMs: Math.round(config.misfireGraceSeconds * 1_000),
  runRetentionMs: Math.round(config.runRetentionDays * 86_400_000),
  engineVersion: version,
  tzVersion: process.versions.tz ?? 'unknown',
})

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
const stackOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error)

const once = (work: () => Promise<void>): (() => Promise<void>) => {
  let done: Promise<void> | undefined
  return () => {
    done ??= work()
    return done
  }
}
