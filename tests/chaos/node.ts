import { systemClock } from '@almanac/adapters/system'
import { startNode } from '@almanac/scheduler'
import { resolveConfig } from '@almanac/scheduler/service'
import type { FromNode, ToNode } from './node-messages.js'
import { type ClockState, SteppedClock } from './stepped-clock.js'

// A node of the cluster under test: the code of production, with a clock that the harness sets.

const say = (message: FromNode): void => {
  if (process.connected) process.send?.(message)
}

const note = (message: string): void => {
  process.stderr.write(`${new Date().toISOString()} ${message}\n`)
}

const clock = new SteppedClock(
  systemClock(),
  JSON.parse(process.env.ALMANAC_CHAOS_CLOCK ?? '{"offsetMs":0,"driftPpm":0}') as ClockState,
)
process.on('message', (message: ToNode) => clock.set(message.clock))
// The harness is gone.
process.on('disconnect', () => process.exit(1))

function giveUp(fault: unknown): void {
  const message = fault instanceof Error ? (fault.stack ?? fault.message) : String(fault)
  note(`can not go on: ${message}`)
  say({ kind: 'fatal', message })
  setTimeout(() => process.exit(3), 50)
}

const resolved = resolveConfig({ flags: {}, env: process.env })
if (!resolved.ok) throw new Error(resolved.problems.join('\n'))
const { servers } = resolved.config
if (servers === null) throw new Error('this is no node of a cluster')
note(`process ${process.pid} starts`)
try {
  const node = await startNode({ ...resolved.config, servers }, { notice: note, onFatal: giveUp }, { clock })
  process.on('SIGTERM', () => {
    note('is asked to end')
    void node.stop().then(() => process.exit(0), giveUp)
  })
  say({ kind: 'ready' })
  note(`is ready at ${node.url}`)
} catch (fault) {
  giveUp(fault)
}
