import { type Clock, type Random, type Stop, storageFull, unavailable } from '@almanac/engine'
import { Connection, Exchange } from './exchange.js'
import { MachineClock } from './machine-clock.js'
import type { CallOptions, Process, Serve } from './types.js'
import type { SimWorld } from './world.js'

/** What is wrong with a process' disk. */
export interface DiskState {
  /** Everything local takes so long. Milliseconds. */
  latencyMs: number
  /** Chance that something local throws `unavailable` and is not done. */
  errorRate: number
  /** Everything local throws `storage_full` and is not done. */
  isFull: boolean
}

/** What is the machine's, and stays when the process starts again. */
export interface Machine {
  readonly clock: MachineClock
  readonly disk: DiskState
}

export const newMachine = (world: SimWorld): Machine => ({
  clock: new MachineClock(world),
  disk: { latencyMs: 0, errorRate: 0, isFull: false },
})

/** A promise that never settles: for the code of a process that is gone. */
const never = <T>(): Promise<T> => new Promise<T>(() => {})

export class SimProcess implements Process {
  readonly name: string
  readonly clock: Clock
  readonly random: Random
  readonly machine: Machine
  private readonly world: SimWorld
  private readonly diskRandom: Random
  private readonly connections = new Map<string, Connection>()
  /** Came while the process was paused, in order. */
  private readonly held: (() => void)[] = []
  private isOver = false
  private pausedUntil = 0
  private lastDiskEnd = 0
  /** Awaits until it crashes; 0: it does not. */
  private awaitsLeft = 0

  constructor(world: SimWorld, name: string, machine: Machine = newMachine(world)) {
    const incarnation = world.incarnate(name)
    this.world = world
    this.name = name
    this.machine = machine
    this.random = world.fork(`process ${name} ${incarnation}`)
    this.diskRandom = world.fork(`disk ${name} ${incarnation}`)
    this.clock = {
      now: () => machine.clock.wall(),
      elapsed: () => machine.clock.elapsed(),
      sleep: (ms, stop) => this.sleep(ms, stop),
    }
    world.trace(`${name} starts (${incarnation})`)
  }

  get isAlive(): boolean {
    return !this.isOver
  }

  get isPaused(): boolean {
    return this.world.time < this.pausedUntil
  }

  call<T>(options: CallOptions, serve: Serve<T>): Promise<T> {
    if (!this.passesAwait()) return never()
    const connection = this.connectionTo(options)
    return new Promise((resolve, reject) => {
      new Exchange(this, connection, options, serve, resolve, reject)
    })
  }

  local<T>(label: string, work: () => T): Promise<T> {
    if (!this.passesAwait()) return never()
    const { world } = this
    return new Promise((resolve, reject) => {
      const endsAt = Math.max(world.time + this.machine.disk.latencyMs, this.lastDiskEnd)
      this.lastDiskEnd = endsAt
      world.schedule(endsAt - world.time, () =>
        this.deliver(() => {
          const settle = this.atDisk(label, work, resolve, reject)
          if (this.passesAwait()) settle()
        }),
      )
    })
  }

  /** Does the work; what comes back tells the process. */
  private atDisk<T>(
    label: string,
    work: () => T,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ): () => void {
    const { world } = this
    world.trace(`${this.name} ${label}`)
    world.touch()
    try {
      this.failAtDisk(label)
      const result = work()
      return () => resolve(result)
    } catch (error) {
      return () => reject(error)
    }
  }

  private failAtDisk(label: string): void {
    const { errorRate, isFull } = this.machine.disk
    if (isFull) {
      this.world.count('fault: disk full')
      throw storageFull(`The disk is full (${label}).`)
    }
    if (errorRate > 0 && this.diskRandom.next() < errorRate) {
      this.world.count('fault: disk error')
      throw unavailable(`The disk failed (${label}).`)
    }
  }

  crash(): void {
    if (this.isOver) return
    this.world.count('fault: crash')
    this.world.trace(`${this.name} crashes`)
    this.isOver = true
    this.held.length = 0
  }

  pause(ms: number): void {
    if (this.isOver) return
    this.world.count('fault: pause')
    this.world.trace(`${this.name} pauses`)
    this.pausedUntil = Math.max(this.pausedUntil, this.world.time + ms)
    this.world.schedule(ms, this.goOn)
  }

  crashAtAwait(n: number): void {
    this.awaitsLeft = n
  }

  passesAwait(): boolean {
    if (this.isOver) return false
    if (this.awaitsLeft === 0) return true
    this.awaitsLeft -= 1
    if (this.awaitsLeft > 0) return true
    this.world.count('fault: crash at await')
    this.crash()
    return false
  }

  deliver(action: () => void): void {
    if (this.isOver) return
    if (this.isPaused || this.held.length > 0) this.held.push(action)
    else action()
  }

  afterElapsed(ms: number, action: () => void): () => void {
    const { clock } = this.machine
    const end = clock.elapsed() + ms
    const ring = (): void => {
      if (this.isOver) return
      const left = end - clock.elapsed()
      if (left <= 0) action()
      // The clock runs slower than when the wait began.
      else entry = this.world.schedule(Math.max(clock.trueMs(left), leastWaitMs), ring)
    }
    let entry = this.world.schedule(clock.trueMs(ms), ring)
    return () => {
      entry.action = undefined
    }
  }

  /** Lets through one thing that was held back; the next one when its consequences are over. */
  private readonly goOn = (): void => {
    if (this.isOver || this.isPaused) return
    const next = this.held.shift()
    next?.()
    if (this.held.length > 0) this.world.schedule(0, this.goOn)
  }

  private sleep(ms: number, stop: Stop | undefined): Promise<void> {
    if (this.isOver) return never()
    if (stop?.stopped === true) return Promise.resolve()
    return new Promise((resolve) => {
      let forget = (): void => {}
      let isAwake = false
      const wake = (): void => {
        if (isAwake) return
        isAwake = true
        cancel()
        forget()
        if (!this.passesAwait()) return
        this.world.touch()
        resolve()
      }
      const isEndless = ms === Number.POSITIVE_INFINITY
      const cancel = isEndless ? () => {} : this.afterElapsed(Math.max(0, ms), () => this.deliver(wake))
      if (stop !== undefined) forget = stop.onStop(() => this.deliver(wake))
    })
  }

  private connectionTo({ service, connection = '' }: CallOptions): Connection {
    const key = `${service} ${connection}`
    let found = this.connections.get(key)
    if (found === undefined) {
      found = new Connection(this.world, this.name, service)
      this.connections.set(key, found)
    }
    return found
  }
}

/** A wait of a clock that has slowed down is cut into parts that are at least this long. Milliseconds. */
const leastWaitMs = 0.01
