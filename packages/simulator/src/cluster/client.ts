import type { CommandContext, Refusal } from '@almanac/domain'
import { type Application, type Applied, type Node, PortFault, type Random, type Stop } from '@almanac/engine'
import type { AnswerRecord } from '@almanac/history'
import type { Instant, Result } from '@almanac/recurrence'
import type { Process } from '../world/types.js'
import { between, chance, pick } from './draw.js'

/** Where a client finds a node. */
export interface Door {
  readonly service: string
  /** Runs in the node's process; throws `unavailable` when there is none now. */
  enter<T>(work: (node: Node, now: Instant) => Promise<T>): Promise<T>
}

/** What a command is about, for the record. */
export interface Subject {
  readonly command: string
  readonly namespace: string
  readonly taskId: string | null
}

export type Send<S> = (
  commands: Application['commands'],
  context: CommandContext,
) => Promise<Result<Applied<S>, Refusal>>

interface ClientParts {
  readonly process: Process
  readonly doors: readonly Door[]
  /** True time: what the record is written in. */
  readonly worldNow: () => Instant
  readonly onAnswer: (answer: AnswerRecord) => void
}

/** A caller of the API: it asks any node, and after a fault asks another with the same idempotency key. */
export class Client {
  private readonly parts: ClientParts
  private readonly random: Random
  private sent = 0

  constructor(parts: ClientParts) {
    this.parts = parts
    this.random = parts.process.random
  }

  /** Undefined: refused, or given up without an answer. */
  async send<S>(subject: Subject, work: Send<S>): Promise<Applied<S> | undefined> {
    const { process, worldNow } = this.parts
    const idempotencyKey = chance(this.random, 0.8) ? `${process.name}-${this.sent++}` : undefined
    const sentAt = worldNow()
    const context = {
      namespace: subject.namespace,
      actor: process.name,
      correlationId: `${process.name}-${this.sent}`,
      ...(idempotencyKey === undefined ? {} : { idempotencyKey, fingerprint: subject.command }),
    }
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const door = pick(this.random, this.parts.doors)
      try {
        const result = await this.ask(door, subject.command, (node, now) =>
          work(node.commands, { ...context, at: now }),
        )
        if (!result.ok) return undefined
        await this.answered(subject, sentAt, idempotencyKey ?? null, result.value)
        return result.value
      } catch (fault) {
        if (!(fault instanceof PortFault)) throw fault
        // Without a key, a command whose outcome is unknown would be applied twice; and some callers just give up.
        const isGivenUp = idempotencyKey === undefined || chance(this.random, givenUpShare)
        if (isGivenUp && fault.code === 'outcome_unknown') return undefined
      }
      await process.clock.sleep(between(this.random, 200, 3_000))
    }
    return undefined
  }

  /** A read: undefined when nobody answers. */
  async read<T>(work: (node: Node, now: Instant) => T | Promise<T>): Promise<T | undefined> {
    try {
      const door = pick(this.random, this.parts.doors)
      return await this.ask(door, 'read', async (node, now) => work(node, now), false)
    } catch (fault) {
      if (fault instanceof PortFault) return undefined
      throw fault
    }
  }

  private ask<T>(
    door: Door,
    label: string,
    work: (node: Node, now: Instant) => Promise<T>,
    isWrite = true,
  ): Promise<T> {
    const deadlineMs = isWrite ? commandDeadlineMs : readDeadlineMs
    const call = { service: door.service, label, deadlineMs, isWrite }
    return this.parts.process.call(call, () => door.enter(work))
  }

  private async answered<S>(
    { command, namespace, taskId }: Subject,
    sentAt: Instant,
    idempotencyKey: string | null,
    { state, position }: Applied<S>,
  ): Promise<void> {
    const { onAnswer, worldNow } = this.parts
    const named = taskId ?? taskIdOf(state)
    const answer = {
      kind: 'answer',
      sentAt,
      idempotencyKey,
      position,
      command,
      namespace,
      taskId: named,
    } as const
    onAnswer({ ...answer, answeredAt: worldNow(), isFenced: false })
    if (named === null || !chance(this.random, fencedShare)) return
    if (await this.fenced(named, position)) onAnswer({ ...answer, answeredAt: worldNow(), isFenced: true })
  }

  private async fenced(taskId: string, position: number): Promise<boolean> {
    return (
      (await this.read((node) => node.fenced([{ kind: 'task', taskId }], position, fenceWaitMs))) === true
    )
  }

  /** Waits, less when `stop` fires. */
  pause(ms: number, stop: Stop): Promise<void> {
    return this.parts.process.clock.sleep(ms, stop)
  }
}

const taskIdOf = (state: unknown): string | null =>
  typeof state === 'object' && state !== null && 'taskId' in state && typeof state.taskId === 'string'
    ? state.taskId
    : null

const attempts = 6
const commandDeadlineMs = 5_000
const readDeadlineMs = 12_000
const fenceWaitMs = 10_000
const fencedShare = 0.3
const givenUpShare = 0.3
