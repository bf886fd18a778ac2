import { dispatchTopics, type Transactor } from '@almanac/adapters/transactions'
import type { RunCommand } from '@almanac/domain'
import { createStop, PortFault, type Stop } from '@almanac/engine'
import { type RunEvent, runEventJson } from '@almanac/protocol'
import { type KafkaModel, SimTransactionLog } from '../kafka/index.js'
import { newMachine, SimProcess, type SimWorld } from '../world/index.js'
import { between, chance } from './draw.js'
import { runTopics, topicPrefix } from './node-host.js'
import { followAgain, type RunReader } from './run-feed.js'

export interface WorkerParts {
  readonly world: SimWorld
  readonly kafka: KafkaModel
  readonly reader: RunReader
  readonly name: string
}

/**
 * Runs what is committed to the queues and tells what became of it. After a crash it does what it did lately once
 * more, as workers do.
 */
export class Worker {
  private readonly parts: WorkerParts
  private readonly machine
  private process: SimProcess | undefined

  constructor(parts: WorkerParts) {
    this.parts = parts
    this.machine = newMachine(parts.world)
  }

  get isUp(): boolean {
    return this.process?.isAlive === true
  }

  start(): void {
    if (this.isUp) return
    const { world, kafka, reader, name } = this.parts
    const process = new SimProcess(world, name, this.machine)
    this.process = process
    new WorkerLife(process, kafka, reader, world.now).start(createStop())
  }

  kill(): void {
    this.process?.crash()
  }
}

class WorkerLife {
  private readonly process: SimProcess
  private readonly log: SimTransactionLog
  private readonly reader: RunReader
  /** Runs from before are somebody else's, or done. */
  private readonly since: number
  private readonly taken = new Set<string>()
  private reports: RunEvent[] = []

  constructor(process: SimProcess, kafka: KafkaModel, reader: RunReader, now: number) {
    this.process = process
    this.reader = reader
    this.log = new SimTransactionLog(process, kafka, { maxWaitMs: 5_000 })
    this.since = now - repeatedMs
  }

  start(stop: Stop): void {
    for (const topic of runTopics) {
      void followAgain(this.log, this.process.clock, topic, stop, (records) => {
        for (const record of records) {
          if (record.appendedAt < this.since) continue
          const { run } = this.reader.read(record)
          if (this.taken.has(run.runId)) continue
          this.taken.add(run.runId)
          void this.work(run, stop)
        }
      })
    }
    void this.tell(stop)
  }

  private async work({ runId }: RunCommand, stop: Stop): Promise<void> {
    const { clock, random } = this.process
    this.report(runId, 'started')
    await clock.sleep(between(random, 50, chance(random, 0.1) ? 20_000 : 3_000), stop)
    this.report(runId, chance(random, 0.05) ? 'failed' : 'succeeded')
  }

  private report(runId: string, type: RunEvent['type']): void {
    const { clock, name } = this.process
    this.reports.push({ type, runId, at: clock.now(), attempt: 1, worker: name, error: null, retryAt: null })
  }

  /** Now and then all that there is to tell; again and again until it is told. */
  private async tell(stop: Stop): Promise<void> {
    const { clock } = this.process
    let transactor: Transactor | undefined
    while (!stop.stopped) {
      await clock.sleep(tellEveryMs, stop)
      const reports = this.reports
      if (reports.length === 0) continue
      this.reports = []
      try {
        transactor ??= await this.log.takeOver(`${topicPrefix}.${this.process.name}`)
        const sent = await transactor.send(reports.map(recordOf))
        if (sent.outcome === 'sent' && (await transactor.commit()) === 'committed') continue
      } catch (fault) {
        if (!(fault instanceof PortFault)) throw fault
      }
      transactor = undefined
      this.reports = [...reports, ...this.reports]
    }
  }
}

const recordOf = (event: RunEvent) => ({
  topic: dispatchTopics(topicPrefix).runEvents,
  partition: null,
  key: event.runId,
  value: JSON.stringify(runEventJson(event)),
})

const tellEveryMs = 1_000
const repeatedMs = 60_000
