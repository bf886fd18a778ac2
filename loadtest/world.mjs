// What the scenarios share: the node over its SQLite files, in this process, in a folder of its own.

import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { openStore } from '@almanac/adapters/sqlite'
import { systemClock, systemRandom } from '@almanac/adapters/system'
import { taskStream } from '@almanac/domain'
import { createCommands, defaultNodeOptions, memoryViewStore, Node } from '@almanac/engine'

export const machine = () =>
  `${cpus().length} cores (${cpus()[0]?.model}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`

export const temporaryFolder = () => mkdtempSync(join(tmpdir(), 'almanac-load-'))
export const remove = (folder) => rmSync(folder, { recursive: true, force: true })

export async function startNode(folder, options = {}) {
  const clock = systemClock()
  const random = systemRandom()
  const onFatal = (error) => {
    throw error
  }
  const store = openStore({ folder, clock, random, onFatal })
  const node = new Node(
    {
      log: store.eventLog,
      dispatchLog: store.dispatchLog,
      views: store.viewStore,
      runs: store.runStore,
      clock,
      random,
    },
    { ...defaultNodeOptions, nodeId: 'load', tzVersion: process.versions.tz, ...options },
    { onProgress: () => {}, onFault: (message, fault) => console.error(message, fault), onFatal },
  )
  await node.start()
  const stop = async () => {
    await node.stop()
    await store.close()
  }
  return { node, store, stop }
}

/** Creates `count` tasks through the node's commands, `atOnce` under way together. */
export async function createTasks(node, count, inputOf, { atOnce = 2_000, onProgress = () => {} } = {}) {
  let next = 0
  const one = async () => {
    while (next < count) {
      const index = next++
      const context = { namespace: 'default', actor: 'load', at: Date.now(), correlationId: 'load' }
      const created = await node.commands.createTask(context, inputOf(index))
      if (!created.ok) throw new Error(JSON.stringify(created.error))
      if (index % 10_000 === 0) onProgress(index, count)
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, one))
}

/**
 * Puts `count` tasks into an empty event log as their commands would, but for what a command costs: the event of one
 * task that was created is repeated, with an id, a name and arguments of its own.
 */
export async function seedTasks(
  log,
  count,
  inputOf,
  { at = Date.now(), atOnce = 1, onProgress = () => {} } = {},
) {
  const views = memoryViewStore()
  const commands = createCommands({
    log,
    views,
    clock: systemClock(),
    random: systemRandom(),
    cluster: 'almanac',
  })
  const context = { namespace: 'default', actor: 'load', at, correlationId: 'load' }
  const created = await commands.createTask(context, inputOf(0))
  if (!created.ok) throw new Error(JSON.stringify(created.error))
  const [event] = await log.readStream(taskStream(created.value.state.taskId))
  const { type, version, metadata } = event
  let next = 1
  const one = async () => {
    while (next < count) {
      const index = next++
      const taskId = `load-${index}`
      const { name, args } = inputOf(index)
      const data = { ...event.data, taskId, spec: { ...event.data.spec, name, args } }
      await log.append(taskStream(taskId), 'none', [{ id: taskId, type, version, data, metadata }])
      if (index % 1_000 === 0) onProgress(index)
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, one))
}

export const quantile = (sorted, part) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]
