import type { Clock, Random } from '@almanac/engine'
import type { Instant } from '@almanac/recurrence'

/**
 * The world: one heap of (time, sequence, action), one seed. After each action all promise chains settle before
 * time moves on.
 */
export interface World {
  /** True time, epoch ms. No process sees it; each has its own clock. */
  readonly now: Instant
  /** The world's chance. Parts that must not disturb each other take a fork of their own. */
  readonly random: Random
  /** A chance of its own, from the seed and the name alone. */
  fork(name: string): Random
  after(ms: number, action: () => void): void
  /** Becomes part of the trace hash: the same seed must give the same trace. */
  trace(what: string): void
}

/** One connection's behaviour between a process and a service. Rates are in [0, 1], times in ms. */
export interface LinkState {
  /** Each hop takes `latencyMs` plus up to `jitterMs`. */
  latencyMs: number
  jitterMs: number
  /** Chance that a request never arrives; that its answer never arrives. */
  requestLoss: number
  answerLoss: number
  /** Chance that a request arrives twice, the second time later. */
  duplication: number
  /** Chance that a message is overtaken by later ones of the same connection. */
  reordering: number
  /** Nothing gets through until healed. `refused`: the caller knows at once; `silent`: it waits for its deadline. */
  cut: 'none' | 'refused' | 'silent'
  /** Messages are held back until this instant of the world, then delivered in order. */
  cloggedUntil: Instant
}

/** How a call of a service ends: at once with a value, later, or with a fault. */
export type Serve<T> = () => T | Promise<T>

export interface CallOptions {
  readonly service: string
  /** What is asked: part of the trace, and what faults are aimed at (`append`, `EndTxn`, `renew` ...). */
  readonly label: string
  /** After this on the caller's clock it gives up. */
  readonly deadlineMs: number
  /**
   * True: after an unanswered call the caller can't know whether it was done, and gets `outcome_unknown`. False: it
   * gets `unavailable`, since asking again does no harm.
   */
  readonly isWrite: boolean
  /** Messages of one connection arrive in order; of several, in any. */
  readonly connection?: string
}

/**
 * One incarnation of a process. After `crash` none of its promises ever settles and nothing it says is heard: no
 * code may rely on `finally`. While paused, nothing reaches it, and everything arrives when it goes on; its elapsed
 * time passes meanwhile, as for a process that is stopped by a signal.
 */
export interface Process {
  readonly name: string
  readonly clock: Clock
  readonly random: Random
  readonly isAlive: boolean
  /** Calls a service: two hops over the link. `serve` runs at the service, in the world's time. */
  call<T>(options: CallOptions, serve: Serve<T>): Promise<T>
  /**
   * Something local that can be interrupted (a disk): resolves in the next action, or never, when the process
   * crashes there.
   */
  local<T>(label: string, work: () => T): Promise<T>
  crash(): void
  /** It stops for `ms` of true time. */
  pause(ms: number): void
  /** Crashes at the n-th await from now: before the call is sent, or when its answer arrives. */
  crashAtAwait(n: number): void
}

/** A process' clock against true time. */
export interface ClockState {
  /** Wall clock less true time. */
  offsetMs: number
  /** Parts per million by which wall and elapsed time run faster than true time. */
  driftPpm: number
}
