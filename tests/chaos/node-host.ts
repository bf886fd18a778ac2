import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { NodeProcess } from './node-process.js'
import { type ClockState, rightClock } from './stepped-clock.js'

export interface NodeHostOptions {
  /** Of the machine; a twin's differs from its node id. */
  readonly name: string
  readonly nodeId: string
  readonly port: number
  /** Folder of everything that the run leaves behind. */
  readonly folder: string
  /** It schedules nothing. */
  readonly isApi: boolean
  /** What the node is configured with, but for its name, port and folder. */
  readonly env: Readonly<Record<string, string>>
  /** Modules that Node loads first in every life. */
  readonly imports: readonly string[]
  /** A process has ended, and nobody had asked for it. It is started again after a second. */
  readonly onDied: (name: string, how: string) => void
}

/** A machine that runs a node: its clock and its disk outlive the node's processes. */
export class NodeHost {
  readonly name: string
  readonly isApi: boolean
  readonly url: string
  private readonly options: NodeHostOptions
  private readonly data: string
  private life: NodeProcess | undefined
  private clockState = rightClock
  /** Lives whose end is wanted. */
  private readonly expected = new Set<NodeProcess>()
  /** How many want it to be down. */
  private holds = 0

  constructor(options: NodeHostOptions) {
    this.options = options
    this.name = options.name
    this.isApi = options.isApi
    this.url = `http://127.0.0.1:${options.port}`
    this.data = join(options.folder, options.name)
    mkdirSync(this.data, { recursive: true })
  }

  get isUp(): boolean {
    return this.life?.isRunning === true
  }

  /** It has started, runs, and does not stand still. */
  get isReady(): boolean {
    return this.life?.isReady === true && this.life.isAwake
  }

  /** Another machine with the same configuration, but for its port and disk. */
  twin(name: string, port: number): NodeHost {
    return new NodeHost({ ...this.options, name, port })
  }

  /** Starts a process, unless one is running or somebody wants it to be down. */
  start(): void {
    if (this.isUp || this.holds > 0) return
    const { nodeId, port, env, imports, isApi, folder, name } = this.options
    const life = new NodeProcess({
      logFile: join(folder, `${name}.log`),
      imports,
      env: {
        ...env,
        ALMANAC_NODE: nodeId,
        ALMANAC_ROLE: isApi ? 'api' : 'all',
        ALMANAC_HOST: '127.0.0.1',
        ALMANAC_PORT: `${port}`,
        ALMANAC_DATA: this.data,
        ALMANAC_CHAOS_CLOCK: JSON.stringify(this.clockState),
      },
    })
    this.life = life
    void this.watch(life)
  }

  private async watch(life: NodeProcess): Promise<void> {
    const { code, signal, fatal } = await life.ended
    if (this.expected.delete(life)) return
    const how = signal === null ? `ended with ${code}` : `was ended by ${signal}`
    this.options.onDied(this.name, fatal === undefined ? how : `${how}: ${fatal}`)
    setTimeout(() => this.start(), restartMs).unref()
  }

  /** The process ends at once, and there is none until the function that comes back is called. */
  kill(): () => void {
    const { life } = this
    this.holds += 1
    if (life?.isRunning === true) {
      this.expected.add(life)
      life.kill()
    }
    return this.release()
  }

  private release(): () => void {
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      this.holds -= 1
      // One that was killed a moment ago may still be there.
      if (this.isUp) void this.life?.ended.then(() => this.start())
      else this.start()
    }
  }

  /**
   * The process is asked to end, and there is none until `comeBack`. `ended`: its exit code; undefined: it had to be
   * killed after `withinMs`.
   */
  terminate(withinMs: number): {
    readonly ended: Promise<number | undefined>
    readonly comeBack: () => void
  } {
    this.holds += 1
    return { ended: this.ending(withinMs), comeBack: this.release() }
  }

  private async ending(withinMs: number): Promise<number | undefined> {
    const { life } = this
    if (life?.isRunning !== true) return 0
    this.expected.add(life)
    life.thaw()
    life.terminate()
    const end = await Promise.race([
      life.ended,
      new Promise<undefined>((resolve) => {
        setTimeout(() => resolve(undefined), withinMs).unref()
      }),
    ])
    // Whoever killed it meanwhile has done so on purpose.
    if (end !== undefined) return end.signal === null ? (end.code ?? 0) : 0
    life.kill()
    await life.ended
    return undefined
  }

  /** The process is gone when it resolves, and does not come back. */
  async end(): Promise<void> {
    this.kill()
    await this.life?.ended
  }

  /** Stands still until the function that comes back is called. */
  freeze(): () => void {
    const { life } = this
    life?.freeze()
    return () => life?.thaw()
  }

  setClock(state: ClockState): void {
    this.clockState = state
    this.life?.setClock(state)
  }
}

/** How soon a supervisor would notice. */
const restartMs = 1_000
