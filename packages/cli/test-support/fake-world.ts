import { refused } from '../src/failure.js'
import { paintFor, type Screen, type World } from '../src/world.js'

export interface FakeWorld extends World {
  /** What was printed so far. */
  readonly printed: { out: string; err: string }
  /** Arguments of each `serve`. */
  readonly served: (readonly string[])[]
  /** What was written, by path. */
  readonly written: Map<string, string>
  /** Fires the stop signal. */
  end(): void
}

export interface FakeWorldOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly columns?: number
  readonly now?: number
  readonly files?: Readonly<Record<string, string>>
  readonly coloured?: boolean
  /** Exit code of `serve`; its arguments are kept in `served`. */
  readonly serveCode?: number
  /** Called at each sleep; the sleep is over when it resolves. */
  readonly onSleep?: (ms: number, end: () => void) => Promise<void> | void
}

/** A world in memory: its sleeps take no time, its files are given, its screens remember. */
export const fakeWorld = (options: FakeWorldOptions = {}): FakeWorld => {
  const printed = { out: '', err: '' }
  const served: (readonly string[])[] = []
  const written = new Map<string, string>()
  const callbacks = new Set<() => void>()
  let stopped = false
  const screen = (name: 'out' | 'err'): Screen => ({
    write: (text) => {
      printed[name] += text
    },
    isTerminal: false,
    columns: options.columns ?? Number.POSITIVE_INFINITY,
    paint: paintFor(options.coloured === true),
  })
  const end = () => {
    stopped = true
    for (const callback of callbacks) callback()
  }
  return {
    printed,
    served,
    written,
    serve: async (args) => {
      served.push(args)
      return options.serveCode ?? 0
    },
    env: { ...options.env },
    user: 'tester',
    out: screen('out'),
    err: screen('err'),
    clock: {
      now: () => options.now ?? Date.parse('2026-11-24T12:00:00Z'),
      elapsed: () => 0,
      sleep: async (ms) => options.onSleep?.(ms, end),
    },
    stop: {
      get stopped() {
        return stopped
      },
      onStop: (callback) => {
        callbacks.add(callback)
        return () => callbacks.delete(callback)
      },
    },
    claimStop: () => undefined,
    readText: async (path) => {
      const text = options.files?.[path]
      if (text === undefined) throw refused(`There is no file ${path}.`)
      return text
    },
    filesIn: async (path, endings) => {
      const found = Object.keys(options.files ?? {}).filter((name) => name.startsWith(`${path}/`))
      if (found.length === 0) return [path]
      return found.filter((name) => endings.some((ending) => name.endsWith(ending))).sort()
    },
    writeText: async (path, text) => {
      written.set(path, text)
    },
    end,
  }
}
