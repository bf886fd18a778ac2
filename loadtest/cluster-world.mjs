// A cluster on real servers: one Kafka broker, one Redis, an event log that the nodes share, and nodes as processes.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { openSharedEventLog } from '@almanac/adapters/sqlite'
import { systemClock, systemRandom } from '@almanac/adapters/system'
import { rankedOwners } from '@almanac/domain'
import { freePorts, startEventStoreDouble, startKafka, startRedis } from '@almanac/infra'
import { cpuSecondsOf, NodeProcess } from './node-process.mjs'
import { sleep } from './scenario.mjs'

export const prefix = 'load'

/**
 * Starts the servers. `eventLog`: `sqlite`, `double` (the real client against the double of EventStoreDB), or the
 * connection string of a server that is there.
 */
export async function startServers({ folder, undo }, { eventLog = 'sqlite', partitions, leaseTtl }) {
  process.stderr.write('Starting Kafka and Redis\n')
  const broker = await startKafka({ folder: join(folder, 'kafka') })
  undo(() => broker.kill())
  const redis = await startRedis({ folder: join(folder, 'redis') })
  undo(() => redis.kill())
  const address = await addressOf(eventLog, folder, undo)
  const env = {
    ALMANAC_CLUSTER: prefix,
    ALMANAC_PARTITIONS: `${partitions}`,
    ALMANAC_EVENTSTORE: address,
    ALMANAC_KAFKA: broker.bootstrap,
    ALMANAC_REDIS: redis.url,
    ALMANAC_REPLICATION: '1',
    ALMANAC_LEASE_TTL_SECONDS: `${leaseTtl}`,
    ALMANAC_LOG_LEVEL: 'warn',
  }
  return new Cluster({ folder, undo, env, broker, partitions })
}

async function addressOf(eventLog, folder, undo) {
  if (eventLog === 'sqlite') return `sqlite:${join(folder, 'log')}`
  if (eventLog !== 'double') return eventLog
  const place = join(folder, 'double')
  mkdirSync(place)
  const double = await startEventStoreDouble({ folder: place })
  undo(() => double.kill())
  return double.connectionString
}

export class Cluster {
  #parts
  nodes = new Map()

  constructor(parts) {
    this.#parts = parts
    this.bootstrap = parts.broker.bootstrap
    this.partitions = parts.partitions
    this.eventLog = parts.env.ALMANAC_EVENTSTORE
  }

  /** Seconds of processor time of the broker so far. */
  brokerCpuSeconds() {
    return cpuSecondsOf(this.#parts.broker.pid)
  }

  /** Puts something into the event log of SQLite before there are nodes. */
  async seed(work) {
    const [, folder] = this.eventLog.split('sqlite:')
    const onFatal = (error) => {
      throw error
    }
    const opened = openSharedEventLog({ folder, clock: systemClock(), random: systemRandom(), onFatal })
    await work(opened.eventLog)
    await opened.close()
  }

  /** Starts a node, anew when it has been there before, and resolves when it is ready. */
  async start(name, { env = {}, execArgv, onSay, patienceMs = 120_000 } = {}) {
    const { folder, undo, env: common } = this.#parts
    const [port] = await freePorts(1)
    const node = new NodeProcess({ name, port, folder, env: { ...common, ...env }, execArgv, onSay })
    undo(async () => {
      if (node.isRunning) await node.end('SIGKILL')
    })
    this.nodes.set(name, node)
    await node.untilReady(patienceMs)
    return node
  }

  async ask(name, path, init = {}) {
    const { method = init.body === undefined ? 'GET' : 'POST', body, signal } = init
    const headers = body === undefined ? {} : { 'content-type': 'application/json' }
    const node = this.nodes.get(name)
    const answer = await fetch(node.url + path, {
      method,
      headers,
      signal: signal ?? AbortSignal.timeout(60_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch(async (error) => {
      // One that has died is told first.
      await Promise.race([node.ended, sleep(1_000)])
      throw new Error(`${name} does not answer ${method} ${path}:\n${node.lastLines()}`, { cause: error })
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
    return { headers: answer.headers, body: text === '' ? null : JSON.parse(text) }
  }

  tasks(name, path = '', init = {}) {
    return this.ask(name, `/v1/namespaces/default/tasks${path}`, init)
  }

  async status(name) {
    return (await this.ask(name, '/v1/cluster')).body
  }

  /** Who should own each partition when these nodes have settled. */
  ownersAmong(names) {
    const members = names.map((nodeId) => ({ nodeId, region: '', weight: 1 }))
    return Array.from(
      { length: this.partitions },
      (_, partition) => rankedOwners(partition, members)[0].nodeId,
    )
  }
}

/** Resolves when `look` says something else than undefined. */
export async function until(what, look, withinMs, everyMs = 100) {
  const deadline = Date.now() + withinMs
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() > deadline) throw new Error(`Waited in vain for ${what}`)
    await sleep(everyMs)
  }
}
