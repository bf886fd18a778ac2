import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startKafka, startRedis } from '@almanac/infra'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Host and port of the broker that all specs share. */
    readonly kafka: string
    /** Address of the Redis that all specs share: each takes a prefix of its own, and leaves the server as it is. */
    readonly redis: string
  }
}

interface Server {
  stop(): Promise<void>
}

/** Starts what all specs of the run share, and gives their addresses by `inject`. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'almanac-cluster-'))
  const servers = await Promise.all([kafka(project, folder), redis(project, folder)])
  return async () => {
    await Promise.all(servers.map((server) => server.stop()))
    await rm(folder, { recursive: true, force: true })
  }
}

async function kafka(project: TestProject, folder: string): Promise<Server> {
  const onProgress = (message: string) => process.stderr.write(`${message}\n`)
  const settings = {
    // Specs of transactions that time out and of compaction need not wait long.
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': 500,
    'log.cleaner.backoff.ms': 200,
  }
  const server = await startKafka({ folder: join(folder, 'kafka'), onProgress, settings })
  project.provide('kafka', server.bootstrap)
  return server
}

async function redis(project: TestProject, folder: string): Promise<Server> {
  const server = await startRedis({ folder: join(folder, 'redis') })
  project.provide('redis', server.url)
  return server
}
