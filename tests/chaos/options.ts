import { parseArgs } from 'node:util'
import { type FaultName, faultNames, possibleFaults } from './faults/nemesis.js'

/** What one run is. */
export interface ChaosOptions {
  readonly seed: number
  /** Nodes that own partitions; one more serves the API alone. */
  readonly nodes: number
  readonly tasks: number
  readonly partitions: number
  readonly producers: number
  /** Redis servers: 1, or 2k+1 for Redlock over several. */
  readonly redis: number
  readonly eventLog: 'double' | 'sqlite'
  /** How long leases hold without renewal. Milliseconds. */
  readonly leaseTtlMs: number
  /** Length of the phase with faults. Milliseconds. */
  readonly spanMs: number
  /** How long nothing is broken afterwards. Milliseconds. */
  readonly calmMs: number
  /** Kinds of faults. */
  readonly faults: readonly FaultName[]
  /** Where everything goes that is left behind. */
  readonly folder: string
  /** Name of a bug that is planted in every node; see the simulator's mutants. */
  readonly plant: string | undefined
  /** Everything is kept, also when nothing was found. */
  readonly keep: boolean
  /** The history is copied to this file. */
  readonly history: string | undefined
  /** The arguments as they were given, to repeat the run. */
  readonly args: readonly string[]
}

export const help = `Runs a cluster of real processes on real servers, breaks what can break, and judges what it did.

npm run chaos -- [options]

  --minutes <n>          length of the phase with faults (default 5)
  --seconds <n>          the same in seconds
  --seed <n>             decides faults and workload (default: by chance)
  --nodes <n>            scheduling nodes, one API node comes on top (default 3)
  --tasks <n>            tasks that are created (default 3000)
  --partitions <n>       partitions of the cluster (default 12)
  --producers <n>        callers of the API at once (default 6)
  --redis <1|3|5>        Redis servers (default: 3 for odd seeds, 1 for even ones)
  --event-log <which>    double: the EventStoreDB double as a process; sqlite: one file for all nodes (default double)
  --lease <n>            seconds that a lease holds (default 10)
  --calm <n>             seconds without faults at the end (default 150)
  --only <a,b>           only these kinds of faults
  --without <a,b>        not these
  --plant <name>         a bug of packages/simulator/mutants in every node: the run has to fail
  --history <file>       also writes the history there
  --folder <path>        where logs, history and results go (default .almanac/chaos/<seed>-<time>)
  --keep                 keeps logs and history though nothing was found
  --faults               lists the kinds of faults

Ends with 0 when nothing was found, with 1 when something was, with 2 for wrong options.`

export class WrongOption extends Error {}

const spec = {
  minutes: { type: 'string' },
  seconds: { type: 'string' },
  seed: { type: 'string' },
  nodes: { type: 'string' },
  tasks: { type: 'string' },
  partitions: { type: 'string' },
  producers: { type: 'string' },
  redis: { type: 'string' },
  'event-log': { type: 'string' },
  lease: { type: 'string' },
  calm: { type: 'string' },
  only: { type: 'string' },
  without: { type: 'string' },
  plant: { type: 'string' },
  history: { type: 'string' },
  folder: { type: 'string' },
  keep: { type: 'boolean' },
  faults: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

type Values = ReturnType<typeof parse>

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: spec, strict: true }).values
  } catch (error) {
    throw new WrongOption(error instanceof Error ? error.message : String(error))
  }
}

/** What is asked for: a run, or a text to show. Throws `WrongOption`. */
export function optionsOf(args: readonly string[]): ChaosOptions | 'help' | 'faults' {
  const values = parse(args)
  if (values.help === true) return 'help'
  if (values.faults === true) return 'faults'
  const seed = wholeOf(values, 'seed', 0) ?? Math.floor(Math.random() * 1_000_000)
  const eventLog = values['event-log'] ?? 'double'
  if (eventLog !== 'double' && eventLog !== 'sqlite') {
    throw new WrongOption(`--event-log is "${eventLog}", not double or sqlite`)
  }
  const redis = wholeOf(values, 'redis', 1) ?? (seed % 2 === 1 ? 3 : 1)
  if (redis % 2 === 0) throw new WrongOption('--redis has to be an odd number')
  const seconds = wholeOf(values, 'seconds', 1) ?? (wholeOf(values, 'minutes', 1) ?? 5) * 60
  const stamp = new Date().toISOString().replaceAll(/[:.]/g, '-')
  return {
    seed,
    eventLog,
    redis,
    nodes: wholeOf(values, 'nodes', 1) ?? 3,
    tasks: wholeOf(values, 'tasks', 1) ?? 3_000,
    partitions: wholeOf(values, 'partitions', 1) ?? 12,
    producers: wholeOf(values, 'producers', 1) ?? 6,
    leaseTtlMs: (wholeOf(values, 'lease', 1) ?? 10) * 1_000,
    spanMs: seconds * 1_000,
    calmMs: (wholeOf(values, 'calm', 1) ?? 150) * 1_000,
    faults: faultsOf(values, eventLog === 'double'),
    folder: values.folder ?? `.almanac/chaos/${seed}-${stamp}`,
    plant: values.plant,
    keep: values.keep === true,
    history: values.history,
    args: values.seed === undefined ? [...args, '--seed', `${seed}`] : args,
  }
}

function wholeOf(values: Values, name: keyof Values, least: number): number | undefined {
  const text = values[name]
  if (text === undefined) return undefined
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new WrongOption(`--${name} is "${text}", not a whole number from ${least} on`)
}

function faultsOf(values: Values, hasLogServer: boolean): readonly FaultName[] {
  const only = namesIn(values, 'only')
  const without = namesIn(values, 'without') ?? []
  const names = possibleFaults(hasLogServer).filter(
    (name) => only?.includes(name) !== false && !without.includes(name),
  )
  if (names.length === 0) throw new WrongOption('there is no fault left to do')
  return names
}

function namesIn(values: Values, name: 'only' | 'without'): readonly string[] | undefined {
  const names = values[name]?.split(',').map((each) => each.trim())
  const unknown = names?.find((each) => !faultNames.some((known) => known === each))
  if (unknown !== undefined) throw new WrongOption(`--${name}: there is no fault "${unknown}"; see --faults`)
  return names
}
