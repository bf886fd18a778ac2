import type { Database, Statement } from './database.js'

/** Partitions of topics, by number and by name, and how far each has been read. */
export class LedgerPlaces {
  readonly #insert: Statement
  readonly #move: Statement
  readonly #read: Statement
  readonly #ids = new Map<string, number>()
  readonly #names = new Map<number, string>()
  readonly #next = new Map<string, Map<number, number>>()

  constructor(database: Database) {
    this.#insert = database.prepare('INSERT INTO places (topic, partition, next) VALUES (?, ?, 0)')
    this.#move = database.prepare('UPDATE places SET next = ? WHERE place = ?')
    this.#read = database.prepare('SELECT place, topic, partition, next FROM places')
    this.reload()
  }

  /** After a rollback: what was learnt meanwhile is not there. */
  reload(): void {
    for (const map of [this.#ids, this.#names, this.#next]) map.clear()
    for (const { place, topic, partition, next } of this.#read.all() as PlaceRow[]) {
      this.#know(place, topic, partition)
      this.#offsetsOf(topic).set(partition, next)
    }
  }

  offsets(topic: string): ReadonlyMap<number, number> {
    return this.#offsetsOf(topic)
  }

  /** The number of a partition; it gets one when it has none. Inside of a transaction. */
  idOf(topic: string, partition: number): number {
    const known = this.#ids.get(placeName(topic, partition))
    if (known !== undefined) return known
    const place = Number(this.#insert.run(topic, partition).lastInsertRowid)
    this.#know(place, topic, partition)
    return place
  }

  known(name: string): number | undefined {
    return this.#ids.get(name)
  }

  nameOf(place: number): string {
    const name = this.#names.get(place)
    if (name === undefined) throw new Error(`There is no place ${place}`)
    return name
  }

  /** The offset up to which a partition has been read; 0: not at all. */
  next(name: string): number {
    const slash = name.lastIndexOf('/')
    return this.#next.get(name.slice(0, slash))?.get(Number(name.slice(slash + 1))) ?? 0
  }

  /** Inside of a transaction; `moved` when it is committed. */
  write(topic: string, next: ReadonlyMap<number, number>): void {
    for (const [partition, offset] of next) this.#move.run(offset, this.idOf(topic, partition))
  }

  moved(topic: string, next: ReadonlyMap<number, number>): void {
    const offsets = this.#offsetsOf(topic)
    for (const [partition, offset] of next) offsets.set(partition, offset)
  }

  #know(place: number, topic: string, partition: number): void {
    const name = placeName(topic, partition)
    this.#ids.set(name, place)
    this.#names.set(place, name)
  }

  #offsetsOf(topic: string): Map<number, number> {
    const known = this.#next.get(topic)
    if (known !== undefined) return known
    const offsets = new Map<number, number>()
    this.#next.set(topic, offsets)
    return offsets
  }
}

interface PlaceRow {
  readonly place: number
  readonly topic: string
  readonly partition: number
  readonly next: number
}

const placeName = (topic: string, partition: number): string => `${topic}/${partition}`
