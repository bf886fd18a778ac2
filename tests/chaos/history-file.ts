import { closeSync, openSync, writeSync } from 'node:fs'
import { type HistoryRecord, writeHistory } from '@almanac/history'

/** A history that is written as it is seen. */
export class HistoryFile {
  readonly path: string
  private readonly file: number
  private waiting: string[] = []

  constructor(path: string) {
    this.path = path
    this.file = openSync(path, 'w')
  }

  add(...records: readonly HistoryRecord[]): void {
    this.waiting.push(...writeHistory(records))
    if (this.waiting.length > linesAtOnce) this.flush()
  }

  close(): void {
    this.flush()
    closeSync(this.file)
  }

  private flush(): void {
    writeSync(this.file, this.waiting.join(''))
    this.waiting = []
  }
}

const linesAtOnce = 500
