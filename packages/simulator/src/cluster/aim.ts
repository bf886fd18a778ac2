import type { Clock, Random } from '@almanac/engine'
import type { SimWorld } from '../world/index.js'
import type { CallOptions, Process, Serve } from '../world/types.js'

/** What becomes of a call. `delayed`: its request stays on the way for that long, and arrives all the same. */
export type Shot =
  | { readonly kind: 'answer-lost' }
  | { readonly kind: 'request-lost' }
  | { readonly kind: 'delayed'; readonly ms: number }

/** Asked for every call of a process; undefined: nothing happens to it. */
export type Aim = (options: CallOptions) => Shot | undefined

/** Told of every call of a process. */
export interface CallWatch {
  sent(options: CallOptions): void
  answered(options: CallOptions): void
}

/** A process whose calls can be hit one by one, where the network only knows links. */
export class AimedProcess implements Process {
  readonly name: string
  readonly clock: Clock
  readonly random: Random
  private readonly world: SimWorld
  private readonly process: Process
  private readonly aim: Aim
  private readonly watch: CallWatch

  constructor(world: SimWorld, process: Process, aim: Aim, watch: CallWatch) {
    this.world = world
    this.process = process
    this.aim = aim
    this.watch = watch
    this.name = process.name
    this.clock = process.clock
    this.random = process.random
  }

  get isAlive(): boolean {
    return this.process.isAlive
  }

  call<T>(options: CallOptions, serve: Serve<T>): Promise<T> {
    this.watch.sent(options)
    const shot = this.aim(options)
    const answer = this.process.call(options, shot === undefined ? serve : this.hit(shot, serve))
    void answer.then(
      () => this.watch.answered(options),
      () => {},
    )
    return answer
  }

  private hit<T>(shot: Shot, serve: Serve<T>): Serve<T> {
    return () => {
      if (shot.kind === 'answer-lost') void unheard(serve)
      if (shot.kind === 'delayed') this.world.after(shot.ms, () => void unheard(serve))
      return new Promise<T>(() => {})
    }
  }

  local<T>(label: string, work: () => T): Promise<T> {
    return this.process.local(label, work)
  }

  crash(): void {
    this.process.crash()
  }

  pause(ms: number): void {
    this.process.pause(ms)
  }

  crashAtAwait(n: number): void {
    this.process.crashAtAwait(n)
  }
}

/** Nobody hears the answer, nor the refusal. */
async function unheard(serve: Serve<unknown>): Promise<void> {
  try {
    await serve()
  } catch {}
}
