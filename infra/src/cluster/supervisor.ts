import { killMarked, pause, signal, stopByHand } from './marked.js'
import type { Part, PartStart, Stage } from './part.js'
import { inSeconds, type Say, shownPath } from './screen.js'

export interface SupervisorOptions {
  readonly stages: readonly Stage[]
  /** Carried by every process of the cluster, whoever has started it. */
  readonly mark: string
  readonly say: Say
  /** What is to be said when a part has died. */
  readonly onDeath?: (part: Part) => void
}

/** Starts what it is given, watches it, and stops it. It starts nothing again: a dead node is what people try. */
export class Supervisor {
  private readonly options: SupervisorOptions
  private readonly started: Part[][] = []
  private readonly dead = new Set<Part>()
  private isStopping = false

  constructor(options: SupervisorOptions) {
    this.options = options
  }

  /** In the order of the stages, whichever was ready first. */
  get parts(): readonly Part[] {
    const order = this.options.stages.flatMap(({ starts }) => starts.map(({ name }) => name))
    return this.started.flat().sort((one, other) => order.indexOf(one.name) - order.indexOf(other.name))
  }

  /** True when all of it is ready. False when a part could not be started, or when it was stopped meanwhile. */
  async start(): Promise<boolean> {
    for (const stage of this.options.stages) {
      if (this.isStopping) return false
      const running: Part[] = []
      this.started.push(running)
      const answers = await Promise.all(stage.starts.map((part) => this.startPart(part, running)))
      if (answers.includes(false)) return false
    }
    return !this.isStopping
  }

  /** Resolves when it was told to stop. */
  async watch(): Promise<void> {
    while (!this.isStopping) {
      for (const part of this.parts) {
        const ending = part.ending()
        if (ending === undefined || this.dead.has(part)) continue
        this.dead.add(part)
        this.options.say(
          `${part.name} (pid ${part.pid}) ended ${ending}. Its log: ${shownPath(part.logFile)}`,
        )
        this.options.onDeath?.(part)
      }
      await pause(100)
    }
  }

  /** Ends the stages from the last to the first, and then whatever else carries the mark. */
  async stop(): Promise<void> {
    this.isStopping = true
    const { stages, mark } = this.options
    // What a user has brought back is a node: it goes with the nodes, while the servers are still there.
    let others: Promise<void> | undefined
    for (const [index, parts] of [...this.started.entries()].reverse()) {
      const patienceMs = stages[index]?.patienceMs ?? 0
      others ??= stopByHand(mark, patienceMs)
      await Promise.all([others, ...parts.map((part) => this.endPart(part, patienceMs))])
    }
    await killMarked(mark)
  }

  /** Ends everything at once. */
  async kill(): Promise<void> {
    this.isStopping = true
    for (const part of this.parts) if (part.ending() === undefined) signal(part.pid, 'SIGKILL')
    await killMarked(this.options.mark)
  }

  private async startPart({ name, start }: PartStart, running: Part[]): Promise<boolean> {
    const began = performance.now()
    try {
      const part = await start()
      running.push(part)
      this.options.say(
        `${inSeconds(performance.now() - began)}  ${name} is ready at ${part.address}, pid ${part.pid}`,
      )
      return true
    } catch (error) {
      // What was killed while it was starting says so, and nobody wants to know.
      if (!this.isStopping)
        this.options.say(
          `${name} could not be started: ${error instanceof Error ? error.message : String(error)}`,
        )
      return false
    }
  }

  private async endPart(part: Part, patienceMs: number): Promise<void> {
    if (part.ending() !== undefined) return
    const began = performance.now()
    const isStubborn = await Promise.race([
      part.end('SIGTERM').then(() => false),
      pause(patienceMs).then(() => true),
    ])
    if (isStubborn) await part.end('SIGKILL')
    const how = isStubborn ? `did not stop within ${patienceMs / 1_000} s and was killed` : 'has stopped'
    this.options.say(`${inSeconds(performance.now() - began)}  ${part.name} ${how}`)
  }
}
