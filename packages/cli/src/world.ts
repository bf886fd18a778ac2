import pc from 'picocolors'

export type Paint = ReturnType<typeof pc.createColors>

/** One output stream with what is known of the terminal behind it. */
export interface Screen {
  write(text: string): void
  readonly isTerminal: boolean
  /** Columns of the terminal; `Infinity` when there is none. */
  readonly columns: number
  readonly paint: Paint
}

/** Asks a wait or a loop to end; the shape of the engine's. */
export interface Stop {
  readonly stopped: boolean
  /** Calls back once, at once if already stopped. Returns a function that takes the callback back. */
  onStop(callback: () => void): () => void
}

/** The part of the engine's clock port that the command needs. */
export interface Clock {
  now(): number
  /** Milliseconds on a clock that never goes back; meaningful only as a difference. */
  elapsed(): number
  sleep(ms: number, stop?: Stop): Promise<void>
}

/** Everything outside that commands touch, so that specs can give them another one. */
export interface World {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Who runs the command. */
  readonly user: string
  readonly out: Screen
  readonly err: Screen
  readonly clock: Clock
  /** Fires on Ctrl-C and SIGTERM. Only commands that go on for long listen to it; see `claimStop`. */
  readonly stop: Stop
  /** Tells that the running command ends by itself on `stop`; else the process ends at once. */
  claimStop(): void
  readText(path: string): Promise<string>
  /** The files of a folder that end so, by name, also in its folders; of a file itself. */
  filesIn(path: string, endings: readonly string[]): Promise<readonly string[]>
  /** Writes a file, over one of that name. */
  writeText(path: string, text: string): Promise<void>
  /** Runs a server in this process until it is stopped; answers its exit code. */
  serve(args: readonly string[]): Promise<number>
}

/** Colours by the usual rules: `NO_COLOR` off, `FORCE_COLOR` on, else only on a terminal that is not dumb. */
export const wantsColour = (env: World['env'], isTerminal: boolean): boolean => {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0') return true
  return isTerminal && env.TERM !== 'dumb'
}

export const paintFor = (coloured: boolean): Paint => pc.createColors(coloured)
