import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { KafkaTransactionLog, parseKafka } from '@almanac/adapters/kafka'
import { systemClock } from '@almanac/adapters/system'
import { dispatchTopics } from '@almanac/adapters/transactions'
import { clusterNodeOptions } from '@almanac/engine'
import type { HistoryRecord, HistoryReport, Violation } from '@almanac/history'
import { ChaosCluster, clusterName, queues } from './cluster.js'
import { Collector } from './collector.js'
import { randomOf } from './draw.js'
import { Nemesis, planFaults } from './faults/nemesis.js'
import { HistoryFile } from './history-file.js'
import { judge } from './judge.js'
import { checkCalm } from './live-checks.js'
import type { ChaosOptions } from './options.js'
import { Producer, type Requests } from './producer.js'
import { Progress } from './progress.js'
import {
  type ChaosResults,
  type Finding,
  faultRows,
  findingText,
  machineText,
  markdownOf,
  spreadOf,
  versionsOf,
} from './report.js'
import { Timeline } from './timeline.js'
import { Known, Workload } from './workload.js'

/** One run from its first server to its last finding. */
export class ChaosRun {
  readonly findings: Finding[] = []
  private readonly options: ChaosOptions
  private readonly folder: string
  private readonly startedAt = Date.now()
  private readonly undo: (() => Promise<unknown>)[] = []
  private readonly progress: Progress
  private readonly history: HistoryFile
  private readonly timeline = new Timeline()
  private readonly known = new Known()
  private readonly producers: Producer[] = []
  private readonly workloads: Workload[] = []
  private phase = 'starting'
  private phaseEndsAt = 0
  private created = 0
  private runs = 0
  private nemesis: Nemesis | undefined

  constructor(options: ChaosOptions) {
    this.options = options
    this.folder = resolve(options.folder)
    mkdirSync(this.folder, { recursive: true })
    this.history = new HistoryFile(join(this.folder, 'history.jsonl'))
    this.progress = new Progress(() => this.line())
  }

  /** Ends with the results, whatever they are. */
  async run(): Promise<ChaosResults> {
    const { seed } = this.options
    this.progress.say(`Seed ${seed}. Once more: ${commandOf(this.options)}`)
    try {
      const report = await this.play()
      return this.conclude(report)
    } finally {
      this.progress.stop()
      await this.cleanUp()
    }
  }

  /** Ends everything that has been started; may be called at any time, and again. */
  async cleanUp(): Promise<void> {
    for (const workload of this.workloads) workload.stop()
    for (let step = this.undo.pop(); step !== undefined; step = this.undo.pop()) {
      await step().catch((fault: unknown) => this.found('clean-up', textOf(fault)))
    }
  }

  private async play(): Promise<HistoryReport> {
    const { options, folder } = this
    const found = (rule: string, message: string) => this.found(rule, message)
    const say = (line: string) => this.progress.say(line)
    const cluster = await ChaosCluster.start({ options, folder, found, say }, this.undo)
    this.undo.push(() => cluster.end())
    this.record({
      kind: 'meta',
      version: 1,
      cluster: clusterName,
      partitions: options.partitions,
      misfireGraceMs: clusterNodeOptions.misfireGraceMs,
      maxDecisionsPerTick: clusterNodeOptions.maxDecisionsPerTick,
      earlyToleranceMs: 250,
      lateToleranceMs,
      recoveryMs: Math.min(90_000, options.calmMs * 0.6),
      source: `chaos run, seed ${options.seed}`,
    })
    const collector = await this.collect(cluster)
    await this.untilReady(cluster)
    const working = this.work(cluster)
    await this.break(cluster)
    await this.calm(cluster, working)
    await this.stop(cluster)
    await collector.finish()
    for (const event of await cluster.source.events()) this.record({ kind: 'event', event })
    this.history.close()
    this.enter('judging', 0)
    return judge(this.history.path, join(folder, 'history.html'))
  }

  private async collect(cluster: ChaosCluster): Promise<Collector> {
    const topics = dispatchTopics(clusterName)
    const log = new KafkaTransactionLog({
      connection: parseKafka(cluster.kafka.server.bootstrap),
      clock: systemClock(),
    })
    const collector = new Collector({
      log,
      topics,
      runTopics: queues.map((queue) => topics.runs({ queue, exchange: null })),
      partitions: this.options.partitions,
      onRecord: (record) => {
        this.record(record)
        if (record.kind === 'run') cluster.runSeen()
      },
      onUnreadable: (message) => this.found('unreadable', message),
    })
    collector.start()
    this.undo.push(() => collector.close())
    return collector
  }

  private async untilReady(cluster: ChaosCluster): Promise<void> {
    this.enter('nodes start', startingMs)
    while (!cluster.hosts.every(({ isReady }) => isReady)) {
      if (this.findings.length > 0) throw new Error(`a node can not start; its log is in ${this.folder}`)
      if (Date.now() > this.phaseEndsAt) {
        const names = cluster.hosts.filter(({ isReady }) => !isReady).map(({ name }) => name)
        throw new Error(
          `not ready after ${startingMs} ms: ${names.join(', ')}; their logs are in ${this.folder}`,
        )
      }
      await pause(100)
    }
  }

  /** Producers begin. What comes back resolves when all of them have ended. */
  private work(cluster: ChaosCluster): Promise<unknown> {
    const { seed, producers, tasks, spanMs, calmMs } = this.options
    const until = Date.now() + warmUpMs + spanMs + calmMs
    for (let index = 1; index <= producers; index += 1) {
      const name = `producer-${index}`
      const producer = new Producer({
        name,
        random: randomOf(seed, `${name} requests`),
        doors: cluster.hosts,
        onAnswer: (answer) => this.record(answer),
        onWrongAnswer: (message) => this.found('wrong-answer', message),
      })
      this.producers.push(producer)
      this.workloads.push(
        new Workload({
          producer,
          known: this.known,
          random: randomOf(seed, name),
          name,
          tasks: Math.ceil(tasks / producers),
          everyMs: commandEveryMs,
          until,
          onCreated: () => {
            this.created += 1
          },
        }),
      )
    }
    return Promise.all(this.workloads.map((workload) => workload.run()))
  }

  private async break(cluster: ChaosCluster): Promise<void> {
    const { seed, faults, spanMs, leaseTtlMs, tasks } = this.options
    this.enter('warm-up', warmUpMs)
    // Most of the tasks are there before anything breaks.
    while (Date.now() < this.phaseEndsAt && this.created < tasks * 0.8) await pause(100)
    this.enter('faults', spanMs)
    const nemesis = new Nemesis({
      world: cluster,
      seed,
      plan: planFaults(seed, faults, spanMs, leaseTtlMs),
      isProgressing: () => Date.now() - this.timeline.lastAt < stillMs,
      onStrike: (fault, at, detail) => this.record({ kind: 'fault', at, fault, detail }),
    })
    this.nemesis = nemesis
    const striking = nemesis.run()
    await pause(spanMs)
    // On a slow machine the cluster needs longer to come back before the next strike.
    await Promise.race([striking, pause(spanMs)])
    nemesis.heal()
    await striking
    cluster.heal()
    this.record({ kind: 'healed', at: Date.now() })
    for (const name of faults) {
      const hits = nemesis.struck.reduce((sum, struck) => sum + (struck.name === name ? struck.hits : 0), 0)
      if (hits === 0) this.found('never-happened', `${name} was planned and has hit nothing`)
    }
  }

  private async calm(cluster: ChaosCluster, working: Promise<unknown>): Promise<void> {
    const { calmMs } = this.options
    this.enter('calm', calmMs)
    await pause(calmMs - quietMs)
    for (const workload of this.workloads) workload.stop()
    await working
    await pause(Math.max(0, this.phaseEndsAt - Date.now()))
    for (const finding of await checkCalm(cluster.hosts)) this.findings.push(finding)
    this.record({ kind: 'end', at: Date.now() })
  }

  private async stop(cluster: ChaosCluster): Promise<void> {
    this.enter('nodes end', endingMs)
    await Promise.all(
      cluster.hosts.map(async (host) => {
        const code = await host.terminate(endingMs).ended
        if (code === undefined) this.found('not-ended', `${host.name} was asked to end and ran on`)
        else if (code !== 0) this.found('not-ended', `${host.name} was asked to end and ended with ${code}`)
      }),
    )
    this.enter('reading', 0)
  }

  private record(record: HistoryRecord): void {
    this.history.add(record)
    this.timeline.add(record)
    if (record.kind === 'run') this.runs += 1
  }

  private found(rule: string, message: string): void {
    const finding = { rule, message, at: Date.now() }
    this.findings.push(finding)
    this.progress.say(findingText(finding))
  }

  private enter(phase: string, lastsMs: number): void {
    this.phase = phase
    this.phaseEndsAt = Date.now() + lastsMs
  }

  private line(): string {
    const left = Math.max(0, Math.round((this.phaseEndsAt - Date.now()) / 1_000))
    const { answered } = sumOf(this.producers)
    return (
      `seed ${this.options.seed}, ${this.phase}${left === 0 ? '' : `, ${left} s left`}: ` +
      `${this.created} tasks, ${answered} commands, ${this.runs} runs, ` +
      `${this.nemesis?.struck.length ?? 0} strikes, ${this.findings.length} findings`
    )
  }

  private conclude(report: HistoryReport): ChaosResults {
    const { options, timeline, nemesis } = this
    const struck = nemesis?.struck ?? []
    const findings = [...this.findings, ...report.violations.map(findingOf)]
    const after = (...names: readonly string[]) =>
      struck
        .filter(({ name }) => names.includes(name))
        .flatMap(({ detail, at }) => timeline.takeovers(detail, at))
    const results: ChaosResults = {
      seed: options.seed,
      command: commandOf(options),
      startedAt: new Date(this.startedAt).toISOString(),
      ok: findings.length === 0,
      options: {
        nodes: options.nodes,
        tasks: options.tasks,
        partitions: options.partitions,
        redis: options.redis,
        eventLog: options.eventLog,
        spanMs: options.spanMs,
        plant: options.plant,
      },
      machine: machineText(),
      versions: versionsOf(process.env.ALMANAC_TEST_KAFKA_VERSION ?? '3.9.1'),
      faults: faultRows(options.faults, struck, report.violations, timeline),
      leaseTtlMs: options.leaseTtlMs,
      takeovers: spreadOf(after('crash', 'crash-away')),
      handOvers: spreadOf(after('leave')),
      counts: report.counts,
      rules: report.rules,
      lateness: report.lateness,
      requests: sumOf(this.producers),
      findings,
    }
    this.keep(results)
    return results
  }

  /** Results always stay; logs and history when something was found, or when asked. */
  private keep(results: ChaosResults): void {
    const { folder, options } = this
    writeFileSync(join(folder, 'results.json'), `${JSON.stringify(results, null, 2)}\n`)
    writeFileSync(join(folder, 'results.md'), markdownOf(results))
    if (options.history !== undefined) copyFileSync(this.history.path, resolve(options.history))
    if (!results.ok || options.keep) return
    rmSync(this.history.path, { force: true })
    rmSync(join(folder, 'history.html'), { force: true })
  }
}

const findingOf = ({ rule, message, at }: Violation): Finding => ({ rule, message, at })

function sumOf(producers: readonly Producer[]): Requests {
  const sum: Requests = { sent: 0, answered: 0, refused: 0, givenUp: 0, fenced: 0 }
  for (const { requests } of producers) {
    for (const key of Object.keys(sum) as (keyof Requests)[]) sum[key] += requests[key]
  }
  return sum
}

export const commandOf = ({ args }: ChaosOptions): string => `npm run chaos -- ${args.join(' ')}`

const textOf = (fault: unknown): string => (fault instanceof Error ? fault.message : String(fault))

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Two cores serve nodes, broker and judge: a run that waits for the processor is not yet late. */
const lateToleranceMs = 5_000
const startingMs = 90_000
const warmUpMs = 45_000
/** Without a checkpoint in any partition for this long the cluster does not get on. */
const stillMs = 2_500
/** At the end nobody sends commands any more. */
const quietMs = 20_000
const endingMs = 20_000
/** Mean time between two commands of one producer. */
const commandEveryMs = 400
