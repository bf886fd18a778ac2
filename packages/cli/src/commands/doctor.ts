import type { ClusterJson } from '@almanac/protocol'
import type { Command } from 'commander'
import { exitCodes, Failure, refused } from '../failure.js'
import { counted, visible, wrap } from '../output/text.js'
import { duration } from '../output/time.js'
import { type ServerOptions, Session, withServerOptions } from '../session.js'
import { version } from '../version.js'
import type { World } from '../world.js'

export interface DoctorOptions extends ServerOptions {
  readonly data?: string
}

export type Verdict = 'ok' | 'warn' | 'fail'

export interface Finding {
  readonly what: string
  readonly verdict: Verdict
  readonly message: string
  /** What to do; with a verdict other than `ok`. */
  readonly advice?: string
}

const ok = (what: string, message: string): Finding => ({ what, verdict: 'ok', message })
const bad = (verdict: 'warn' | 'fail', what: string, message: string, advice: string): Finding => ({
  what,
  verdict,
  message,
  advice,
})

/** Zone rules of this year and later differ; older data knows less of them. */
const oldestZoneData = '2025a'
/** A clock that is off by more makes runs visibly early or late. */
const clockToleranceMs = 2000
const maxLag = 1000

const nodeFinding = (versions: NodeJS.ProcessVersions): Finding => {
  const [major = 0, minor = 0] = versions.node.split('.').map(Number)
  const enough = major > 20 || (major === 20 && minor >= 19)
  return enough
    ? ok('node', `Node ${versions.node}`)
    : bad('fail', 'node', `Node ${versions.node} is too old`, 'Install Node 20.19 or newer.')
}

const zoneFinding = (versions: NodeJS.ProcessVersions): Finding => {
  const { tz } = versions
  if (tz === undefined) {
    const advice = 'Install a Node with full ICU (the default builds have it).'
    return bad('fail', 'time zones', 'this Node has no time-zone data', advice)
  }
  return tz >= oldestZoneData
    ? ok('time zones', `zone data ${tz}, ICU ${versions.icu ?? 'unknown'}`)
    : bad('warn', 'time zones', `zone data ${tz} is old`, 'Update Node: newer rules of zones are missing.')
}

const failureFinding = (verdict: 'warn' | 'fail', what: string, failure: Failure): Finding =>
  bad(verdict, what, failure.message, failure.details.hint ?? 'Look into the log of the server.')

const clockFinding = (now: number, tookMs: number, server: number): Finding => {
  // The answer was made some time between asking and now: only what lies beyond that is a difference.
  const off = Math.max(0, Math.abs(now - tookMs / 2 - server) - tookMs / 2)
  if (off <= clockToleranceMs) return ok('clock', `agrees with the server within ${duration(off + tookMs)}`)
  const message = `differs from the server's by ${duration(off)}`
  return bad(
    'warn',
    'clock',
    message,
    'Let both machines keep time by NTP: schedules follow the server’s clock.',
  )
}

const clusterFindings = async (session: Session): Promise<readonly Finding[]> => {
  const { clock } = session.world
  const started = clock.elapsed()
  const { body } = await session.server.askRoot<ClusterJson>('/v1/cluster')
  const tookMs = clock.elapsed() - started
  const [node] = body.nodes
  const tasks = `${counted(body.tasks.tasks, 'task')}, ${body.tasks.enabled} enabled`
  const broken = body.tasks.quarantined
  return [
    ...(node ? [clockFinding(clock.now(), tookMs, Date.parse(node.now))] : []),
    ...body.nodes.map(({ nodeId, lag, viewPosition }) =>
      lag > maxLag
        ? bad('warn', `node ${nodeId}`, `its read models lack ${lag} events`, 'Wait until it has caught up.')
        : ok(`node ${nodeId}`, `read models at position ${viewPosition}, ${counted(lag, 'event')} behind`),
    ),
    broken === 0
      ? ok('tasks', tasks)
      : bad(
          'warn',
          'tasks',
          `${tasks}, ${broken} cannot be planned`,
          'See `almanac tasks list --quarantined`.',
        ),
  ]
}

const versionFinding = async (session: Session): Promise<Finding> => {
  const { body } = await session.server.askRoot<{ info?: { version?: string } }>('/openapi.json')
  const theirs = body.info?.version ?? 'unknown'
  return theirs === version
    ? ok('version', `server and command are both ${version}`)
    : bad(
        'warn',
        'version',
        `the server is ${theirs}, this command ${version}`,
        'Use the same version of both.',
      )
}

/** One check; a refusal or an unreachable server becomes its finding. */
const attempt = async (
  what: string,
  check: () => Promise<readonly Finding[]>,
  verdictOf: (failure: Failure) => 'warn' | 'fail' = () => 'fail',
): Promise<readonly Finding[]> => {
  try {
    return await check()
  } catch (fault) {
    if (fault instanceof Failure) return [failureFinding(verdictOf(fault), what, fault)]
    throw fault
  }
}

/** Nobody answers, other than a server that answers that it is not well. */
const isAway = ({ details }: Failure) => details.code === 'unreachable' && details.status === undefined

/** With `mayBeAway` a server that cannot be reached is a warning only. */
const serverFindings = async (session: Session, mayBeAway: boolean): Promise<readonly Finding[]> => {
  const live = await attempt(
    'server',
    async () => {
      await session.server.askRoot('/livez', { timeoutMs: 5000 })
      return [ok('server', `answers at ${session.server.address.url}`)]
    },
    (failure) => (mayBeAway && isAway(failure) ? 'warn' : 'fail'),
  )
  if (live.some(({ verdict }) => verdict !== 'ok')) return live
  const ready = await attempt('ready', async () => {
    await session.server.askRoot('/readyz', { timeoutMs: 5000 })
    return [ok('ready', 'takes commands and dispatches')]
  })
  const rest = [
    await attempt('version', async () => [await versionFinding(session)]),
    await attempt('cluster', () => clusterFindings(session)),
  ]
  return [...live, ...ready, ...rest.flat()]
}

const dataFindings = async (folder: string): Promise<readonly Finding[]> => {
  const { inspectFolder, NoSuchFolder } = await import('@almanac/adapters/sqlite')
  const which = 'Give the folder that the server is started with (--data).'
  const restore = 'Stop the server, keep a copy of the folder, and restore it from a backup.'
  try {
    const report = inspectFolder(folder)
    if (report === undefined) {
      return [bad('warn', 'data', `${folder} holds no Almanac data`, which)]
    }
    const { commits, position, bytes, loss } = report
    const size = `${(bytes / 1e6).toFixed(1)} MB`
    const what = `event position ${position}, ${commits.toLocaleString('en-US')} commits, ${size}`
    return [
      ok('data', `${folder}: integrity check passed`),
      loss === undefined
        ? ok('head', `nothing is lost: ${what}`)
        : bad('fail', 'head', loss.message, restore),
    ]
  } catch (fault) {
    const message = fault instanceof Error ? fault.message : String(fault)
    return [bad('fail', 'data', message, fault instanceof NoSuchFolder ? which : restore)]
  }
}

const marks: Readonly<Record<Verdict, string>> = { ok: '✓', warn: '!', fail: '×' }

const print = (session: Session, findings: readonly Finding[]) => {
  const { paint, columns } = session.world.out
  const styles = { ok: paint.green, warn: paint.yellow, fail: paint.red }
  const width = findings.reduce((most, { what }) => Math.max(most, what.length), 0)
  for (const { what, verdict, message, advice } of findings) {
    const style = styles[verdict]
    const indent = ' '.repeat(width + 10)
    const texts = wrap(visible(message), columns - indent.length)
    session.line(
      `${style(marks[verdict])} ${style(verdict.padEnd(4))}  ${what.padEnd(width)}  ${texts.join(`\n${indent}`)}`,
    )
    if (advice === undefined) continue
    for (const text of wrap(visible(advice), columns - indent.length)) session.line(indent + paint.dim(text))
  }
}

/**
 * Checks what this machine and the server need; ends with 1 when something fails, with 3 when that is the server.
 * With `data` the server need not run: the folder of a stopped one is checked as well.
 */
export const doctor = async (world: World, options: DoctorOptions, versions: NodeJS.ProcessVersions) => {
  const session = new Session(world, options)
  const findings = [
    nodeFinding(versions),
    zoneFinding(versions),
    ...(await serverFindings(session, options.data !== undefined)),
    ...(options.data === undefined ? [] : await dataFindings(options.data)),
  ]
  if (session.json) session.document({ findings })
  else print(session, findings)
  const failed = findings.filter(({ verdict }) => verdict === 'fail')
  if (failed.length === 0) return
  const message = `${counted(failed.length, 'check')} failed.`
  if (failed.some(({ what }) => what === 'server'))
    throw new Failure(message, exitCodes.unreachable, { code: 'unreachable' })
  throw refused(message)
}

export const addDoctor = (program: Command, world: World): void => {
  withServerOptions(
    program
      .command('doctor')
      .description('check this machine, the server, and a data folder')
      .option(
        '--data <folder>',
        'also check this data folder: integrity, and that nothing acknowledged is lost',
      ),
  ).action((options: DoctorOptions) => doctor(world, options, process.versions))
}
