import type { Random } from '@almanac/engine'
import type { LinkState } from './types.js'

/** What is wrong with a service as a whole, as its callers see it. */
export interface ServiceState {
  /** Connections are refused, and those that are open break. */
  isDown: boolean
  /** Every request waits so long before it is served. Milliseconds. */
  slowMs: number
  /** Grows with every crash: an answer to a request of an earlier life is never sent. */
  life: number
}

/** A link and the chance that decides what happens on it. */
export interface Link {
  readonly state: LinkState
  readonly random: Random
}

/** All links between processes and services, by name: a process that starts again has the link that it had. */
export class Network {
  /** What a new link is like, and what `heal` makes of all. */
  readonly defaults: LinkState = {
    latencyMs: 1,
    jitterMs: 1,
    requestLoss: 0,
    answerLoss: 0,
    duplication: 0,
    reordering: 0,
    cut: 'none',
    cloggedUntil: 0,
  }
  private readonly fork: (name: string) => Random
  private readonly all = new Map<string, Link & { readonly process: string; readonly service: string }>()
  private readonly services = new Map<string, ServiceState>()

  constructor(fork: (name: string) => Random) {
    this.fork = fork
  }

  /** How it is between a process and a service now; to be changed in place. */
  link(process: string, service: string): LinkState {
    return this.linkOf(process, service).state
  }

  linkOf(process: string, service: string): Link {
    const name = `${process}>${service}`
    let link = this.all.get(name)
    if (link === undefined) {
      link = { process, service, state: { ...this.defaults }, random: this.fork(`link ${name}`) }
      this.all.set(name, link)
    }
    return link
  }

  /** Every link that has been asked for, in that order. */
  links(): readonly { readonly process: string; readonly service: string; readonly state: LinkState }[] {
    return [...this.all.values()]
  }

  service(name: string): ServiceState {
    let state = this.services.get(name)
    if (state === undefined) {
      state = { isDown: false, slowMs: 0, life: 0 }
      this.services.set(name, state)
    }
    return state
  }

  /** All links are as new, and all services are up and quick. What is held back comes soon. */
  heal(): void {
    for (const { state } of this.all.values()) Object.assign(state, this.defaults)
    for (const state of this.services.values()) Object.assign(state, { isDown: false, slowMs: 0 })
  }
}
