import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startKafka } from '@almanac/infra'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Host and port of the broker that all specs share. */
    readonly kafka: string
  }
}

interface Server {
  stop(): Promise<void>
}

/** Starts what all specs of the run share, and gives their addresses by `inject`. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'almanac-cluster-'))
  const servers = await Promise.all([kafka(project, folder)])
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
