// What the client does by itself, in a process of its own: `broken <server> <other server>`,
// `moved <server>` or `late <server>`.
import { EventStoreDBClient, jsonEvent, NO_STREAM } from '@eventstore/db-client'

const [mode, ...servers] = process.argv.slice(2)
const say = (...words) => process.stdout.write(`${words.join(' ')}\n`)
const append = (client, stream) =>
  client
    .appendToStream(stream, jsonEvent({ type: 'Happened', data: {} }), { expectedRevision: NO_STREAM })
    .then(
      () => say(stream, 'appended'),
      (error) => say(stream, 'rejected', error.type),
    )

if (mode === 'late') {
  // The machine's clock is a minute behind.
  const now = Date.now.bind(Date)
  Date.now = () => now() - 60_000
  await append(EventStoreDBClient.connectionString(servers[0]), 'late')
  process.exit(0)
}

if (mode === 'moved') {
  const client = EventStoreDBClient.connectionString(servers[0])
  const first = append(client, 'first')
  const isMoved = async () => {
    try {
      for await (const _ of client.readAll({ maxCount: 1, requiresLeader: true })) return false
    } catch {
      return true
    }
  }
  while (!(await isMoved())) await new Promise((resolve) => setTimeout(resolve, 50))
  await new Promise((resolve) => setTimeout(resolve, 200))
  await Promise.all([first, append(client, 'second')])
  await new Promise((resolve) => setTimeout(resolve, 10_000))
  say('alive')
  process.exit(0)
}

const [breaking, sound] = servers.map((server) => EventStoreDBClient.connectionString(server))
const pending = append(sound, 'sound')
await new Promise((resolve) => setTimeout(resolve, 300))
await Promise.all([append(breaking, 'breaking'), pending])
// The answer to the append on the sound connection has yet to come.
await new Promise((resolve) => setTimeout(resolve, 10_000))
say('alive')
process.exit(0)
