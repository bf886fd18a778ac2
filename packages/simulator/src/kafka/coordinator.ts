import type { Random } from '@almanac/engine'
import type { Instant } from '@almanac/recurrence'
import {
  type Answer,
  type Done,
  done,
  type KafkaError,
  type KafkaTuning,
  type Producer,
  refuse,
  succeed,
  type TopicPartition,
} from './protocol.js'

type State = 'Empty' | 'Ongoing' | 'PrepareCommit' | 'PrepareAbort' | 'CompleteCommit' | 'CompleteAbort'

/** What the coordinator knows of a transactional id. Survives a crash. */
interface Transaction {
  readonly id: string
  producerId: number
  epoch: number
  timeoutMs: number
  state: State
  /** Partitions of the transaction under way; while it ends, those whose marker is still to be written. */
  readonly partitions: Map<string, TopicPartition>
  /** Consumer groups whose offsets are part of it. */
  readonly groups: Set<string>
  /** By the broker's clock. */
  startedAt: Instant
  changedAt: Instant
  /** Counts the attempts to write its markers: those of an earlier attempt are void. */
  attempt: number
}

export interface CoordinatorParts {
  readonly tuning: KafkaTuning
  readonly random: Random
  /** The broker's clock. */
  now(): Instant
  /** True time, by which outages last. */
  trueNow(): Instant
  after(ms: number, action: () => void): void
  writeMarker(place: TopicPartition, producer: Producer, commit: boolean): void
  endOffsets(group: string, producer: Producer, commit: boolean): void
}

/** While a coordinator moves, the old broker refuses first, then the new one reads its state. */
interface Move {
  readonly refusesUntil: Instant
  readonly loadsUntil: Instant
}

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`

/** The transaction coordinator: the state machine of KIP-98, one for all transactional ids. */
export class Coordinator {
  private readonly parts: CoordinatorParts
  private readonly transactions = new Map<string, Transaction>()
  private readonly moves = new Map<string, Move>()
  private moveOfAll: Move = { refusesUntil: 0, loadsUntil: 0 }
  private nextProducerId = 1000

  constructor(parts: CoordinatorParts) {
    this.parts = parts
  }

  initProducerId(id: string, timeoutMs: number): Answer<Producer> {
    const moving = this.moving(id)
    if (moving !== undefined) return refuse(moving)
    const known = this.transactions.get(id)
    if (known === undefined) return succeed(this.begin(id, timeoutMs))
    if (known.state === 'Ongoing') this.fence(known)
    if (known.state === 'PrepareAbort' || known.state === 'PrepareCommit') {
      return refuse('CONCURRENT_TRANSACTIONS')
    }
    known.timeoutMs = timeoutMs
    known.state = 'Empty'
    known.changedAt = this.parts.now()
    if (known.epoch >= this.parts.tuning.lastEpoch - 1) {
      known.producerId = this.newProducerId()
      known.epoch = 0
    } else {
      known.epoch += 1
    }
    return succeed({ producerId: known.producerId, epoch: known.epoch })
  }

  private begin(id: string, timeoutMs: number): Producer {
    const producerId = this.newProducerId()
    const now = this.parts.now()
    this.transactions.set(id, {
      id,
      producerId,
      epoch: 0,
      timeoutMs,
      state: 'Empty',
      partitions: new Map(),
      groups: new Set(),
      startedAt: now,
      changedAt: now,
      attempt: 0,
    })
    return { producerId, epoch: 0 }
  }

  newProducerId(): number {
    this.nextProducerId += 1
    return this.nextProducerId
  }

  /** Aborts an open transaction with an epoch that its owner does not have. */
  private fence(transaction: Transaction): void {
    transaction.epoch += 1
    this.end(transaction, false)
  }

  addPartitions(id: string, producer: Producer, places: readonly TopicPartition[]): Done {
    const transaction = this.joinable(id, producer)
    if (!transaction.ok) return transaction
    for (const place of places) transaction.value.partitions.set(nameOf(place), place)
    return done
  }

  /** AddOffsetsToTxn. */
  addGroup(id: string, producer: Producer, group: string): Done {
    const transaction = this.joinable(id, producer)
    if (!transaction.ok) return transaction
    transaction.value.groups.add(group)
    return done
  }

  /** The transaction under way of that producer; opens one when none is. */
  private joinable(id: string, producer: Producer): Answer<Transaction> {
    const found = this.owned(id, producer)
    if (!found.ok) return found
    const transaction = found.value
    if (transaction.state === 'PrepareCommit' || transaction.state === 'PrepareAbort') {
      return refuse('CONCURRENT_TRANSACTIONS')
    }
    if (transaction.state !== 'Ongoing') {
      transaction.state = 'Ongoing'
      transaction.startedAt = this.parts.now()
    }
    transaction.changedAt = this.parts.now()
    return found
  }

  private owned(id: string, { producerId, epoch }: Producer): Answer<Transaction> {
    const moving = this.moving(id)
    if (moving !== undefined) return refuse(moving)
    const transaction = this.transactions.get(id)
    if (transaction?.producerId !== producerId) return refuse('INVALID_PRODUCER_ID_MAPPING')
    // What clients are told that speak the protocol's old versions, as kafkajs does; newer ones get PRODUCER_FENCED.
    return epoch === transaction.epoch ? succeed(transaction) : refuse('INVALID_PRODUCER_EPOCH')
  }

  /** What a partition leader asks before a batch opens a transaction in its partition. */
  verify(id: string, producer: Producer, place: TopicPartition): Done {
    const found = this.owned(id, producer)
    if (!found.ok) return found
    const { state, partitions } = found.value
    if (state === 'PrepareCommit' || state === 'PrepareAbort') return refuse('CONCURRENT_TRANSACTIONS')
    return state === 'Ongoing' && partitions.has(nameOf(place)) ? done : refuse('INVALID_TXN_STATE')
  }

  /**
   * Answers once the end is decided; the markers come later. The old protocol does not say which transaction is
   * meant: whichever this epoch has open is ended.
   */
  endTxn(id: string, producer: Producer, commit: boolean): Done {
    const found = this.owned(id, producer)
    if (!found.ok) return found
    const transaction = found.value
    switch (transaction.state) {
      case 'Ongoing':
        this.end(transaction, commit)
        return done
      case 'CompleteCommit':
        return commit ? done : refuse('INVALID_TXN_STATE')
      case 'CompleteAbort':
        return commit ? refuse('INVALID_TXN_STATE') : done
      case 'PrepareCommit':
        return refuse(commit ? 'CONCURRENT_TRANSACTIONS' : 'INVALID_TXN_STATE')
      case 'PrepareAbort':
        return refuse(commit ? 'INVALID_TXN_STATE' : 'CONCURRENT_TRANSACTIONS')
      case 'Empty':
        return refuse('INVALID_TXN_STATE')
    }
  }

  private end(transaction: Transaction, commit: boolean): void {
    transaction.state = commit ? 'PrepareCommit' : 'PrepareAbort'
    transaction.changedAt = this.parts.now()
    this.writeMarkers(transaction)
  }

  private writeMarkers(transaction: Transaction): void {
    transaction.attempt += 1
    const { attempt } = transaction
    const commit = transaction.state === 'PrepareCommit'
    const producer = { producerId: transaction.producerId, epoch: transaction.epoch }
    const write = (ends: () => void) =>
      this.parts.after(this.markerDelay(), () => {
        if (transaction.attempt !== attempt) return
        ends()
        if (transaction.partitions.size === 0 && transaction.groups.size === 0) {
          transaction.state = commit ? 'CompleteCommit' : 'CompleteAbort'
        }
      })
    for (const [name, place] of transaction.partitions) {
      write(() => {
        this.parts.writeMarker(place, producer, commit)
        transaction.partitions.delete(name)
      })
    }
    for (const group of transaction.groups) {
      write(() => {
        this.parts.endOffsets(group, producer, commit)
        transaction.groups.delete(group)
      })
    }
    if (transaction.partitions.size === 0 && transaction.groups.size === 0) write(() => {})
  }

  private markerDelay(): number {
    const { tuning, random } = this.parts
    const delay = tuning.markerMinMs + random.next() * (tuning.markerMaxMs - tuning.markerMinMs)
    return random.next() < tuning.slowMarkerRate ? delay + tuning.slowMarkerMs : delay
  }

  /** Aborts what has been open for too long, and forgets ids that nobody uses. */
  scan(): void {
    const now = this.parts.now()
    for (const transaction of this.transactions.values()) {
      if (this.moving(transaction.id) !== undefined) continue
      if (transaction.state === 'Ongoing') {
        if (transaction.startedAt + transaction.timeoutMs < now) this.fence(transaction)
      } else if (transaction.state !== 'PrepareCommit' && transaction.state !== 'PrepareAbort') {
        const idleMs = now - transaction.changedAt
        if (idleMs > this.parts.tuning.transactionalIdExpirationMs) this.transactions.delete(transaction.id)
      }
    }
  }

  /** For that long nobody answers for the id, or for any: half of it refused, half of it while loading. */
  move(id: string | 'all', forMs: number): void {
    const now = this.parts.trueNow()
    this.startMove(id, { refusesUntil: now + forMs / 2, loadsUntil: now + forMs })
  }

  /** It is dead: no marker is written. */
  halt(): void {
    for (const transaction of this.transactions.values()) transaction.attempt += 1
    this.moves.clear()
  }

  /** Reads its state again, as after a restart. */
  load(forMs: number): void {
    this.startMove('all', { refusesUntil: 0, loadsUntil: this.parts.trueNow() + forMs })
  }

  private startMove(id: string | 'all', move: Move): void {
    if (id === 'all') this.moveOfAll = move
    else this.moves.set(id, move)
    const affected = [...this.transactions.values()].filter((one) => id === 'all' || one.id === id)
    // Markers that were on their way are not written; whoever takes over sends them again.
    for (const transaction of affected) transaction.attempt += 1
    this.parts.after(move.loadsUntil - this.parts.trueNow(), () => this.resume(affected))
  }

  /** Markers that nobody is writing any more. */
  private resume(affected: readonly Transaction[]): void {
    for (const transaction of affected) {
      const isEnding = transaction.state === 'PrepareCommit' || transaction.state === 'PrepareAbort'
      if (isEnding && this.moving(transaction.id) === undefined) this.writeMarkers(transaction)
    }
  }

  private moving(id: string): KafkaError | undefined {
    const now = this.parts.trueNow()
    const own = this.moves.get(id)
    for (const { refusesUntil, loadsUntil } of own === undefined ? [this.moveOfAll] : [this.moveOfAll, own]) {
      if (now < refusesUntil) return 'NOT_COORDINATOR'
      if (now < loadsUntil) return 'COORDINATOR_LOAD_IN_PROGRESS'
    }
    return undefined
  }
}
