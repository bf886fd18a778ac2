/**
 * A process that shares an event log with others. It tells on standard output, one line each, what it has been answered
 * or has seen. `write FOLDER NAME COUNT`: appends so often to a stream of its own and to those of all, then ends.
 * `follow FOLDER`: tells each event in order, and how long it was on its way, until its input ends.
 */
import { writeSync } from 'node:fs'
import { openSharedEventLog } from '@almanac/adapters/sqlite'
import { systemClock, systemRandom } from '@almanac/adapters/system'
import { eventHash } from '@almanac/domain'
import { createStop } from '@almanac/engine'

const [, , mode, folder, name, count] = process.argv
const tell = (...parts) => writeSync(1, `${parts.join(' ')}\n`)
const now = () => performance.timeOrigin + performance.now()

const random = systemRandom()
const shared = openSharedEventLog({
  folder,
  clock: systemClock(),
  random,
  busyMs: 20_000,
  onFatal: (error) => {
    throw error
  },
})
const { eventLog } = shared
const metadata = { namespace: 'default', actor: 'child', at: 1, correlationId: 'c' }

const lastOf = async (stream) => (await eventLog.readStream(stream)).at(-1)

/** One attempt, from what the stream is now. Answers the event that is last in it then, as far as is known. */
const attempt = async (stream, id, last) => {
  const previousHash = last === undefined ? '' : eventHash(last)
  const data = { sentAt: now() }
  const event = { id, type: 'Happened', version: 1, data, metadata: { ...metadata, previousHash } }
  const expected = last === undefined ? 'none' : last.revision
  const result = await eventLog.append(stream, expected, [event])
  if (result.outcome === 'conflict') {
    tell('conflict', stream, expected, result.actual, id)
    return undefined
  }
  tell('appended', stream, result.revision, id, result.position)
  return { ...event, revision: result.revision }
}

const writeOwn = async (stream) => {
  let last = await lastOf(stream)
  for (let n = 0; n < Number(count); n++) {
    last = await attempt(stream, `${stream}-${(last?.revision ?? -1) + 1}`, last)
    if (last === undefined) throw new Error(`A conflict on ${stream}, which nobody else writes.`)
  }
}

const writeShared = async (stream) => {
  for (let n = 0; n < Number(count); n++) {
    const last = await lastOf(stream)
    await attempt(stream, `${stream}-${name}-${random.token(8)}`, last)
  }
}

const follow = async () => {
  const stop = createStop()
  process.stdin.on('end', () => stop.stop())
  process.stdin.resume()
  for await (const { events } of eventLog.follow(0, stop)) {
    for (const { position, id, data } of events) tell('seen', position, id, (now() - data.sentAt).toFixed(1))
  }
}

tell('open')
if (mode === 'follow') await follow()
else
  await Promise.all([
    writeOwn(`own-${name}`),
    writeOwn(`too-${name}`),
    writeShared('all-1'),
    writeShared('all-2'),
  ])
await shared.close()
