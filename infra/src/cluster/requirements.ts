import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { defaultKafkaVersion } from '../kafka-jars.js'
import { type ClusterLayout, portsOf } from './layout.js'

const run = promisify(execFile)
const repository = fileURLToPath(new URL('../../..', import.meta.url))
const oldestJava = 17

/** A sentence for each program that is missing, for each port that is taken, and for a build that is not there. */
export async function problemsBefore(layout: ClusterLayout): Promise<readonly string[]> {
  const programs = await Promise.all([
    layout.kafka === null ? undefined : javaProblem(),
    layout.kafka === null ? undefined : mavenProblem(),
    layout.redis.length === 0 ? undefined : redisProblem(),
  ])
  const missing = existsSync(layout.nodeProgram) ? [] : [`${layout.nodeProgram} is not there.`]
  const taken = await Promise.all(portsOf(layout).map(portProblem))
  return [...programs, ...taken].filter((problem) => problem !== undefined).concat(missing)
}

const install = (name: string) => `On Debian: apt-get install -y ${name}`

async function javaProblem(): Promise<string | undefined> {
  const needed = `Kafka needs Java ${oldestJava}`
  try {
    const { stdout, stderr } = await run('java', ['-version'])
    // Java 8 calls itself 1.8.
    const version = Number(/version "(?:1\.)?(\d+)/.exec(`${stderr}${stdout}`)?.[1])
    if (version >= oldestJava) return undefined
    return `${needed}, and \`java\` here is ${version}. ${install('openjdk-17-jre-headless')}`
  } catch {
    return `${needed}, and there is no \`java\`. ${install('openjdk-17-jre-headless')}`
  }
}

/** Maven fetches the jars once. */
async function mavenProblem(): Promise<string | undefined> {
  const version = process.env.ALMANAC_TEST_KAFKA_VERSION ?? defaultKafkaVersion
  if (existsSync(join(repository, '.cache', `kafka-${version}`))) return undefined
  const isThere = await run('mvn', ['-v']).then(
    () => true,
    () => false,
  )
  if (isThere) return undefined
  return `Kafka's jars come through Maven the first time, and there is no \`mvn\`. ${install('maven')}`
}

async function redisProblem(): Promise<string | undefined> {
  const isThere = await run('redis-server', ['--version']).then(
    () => true,
    () => false,
  )
  return isThere ? undefined : `There is no \`redis-server\`. ${install('redis-server')}`
}

async function portProblem({
  port,
  who,
}: {
  readonly port: number
  readonly who: string
}): Promise<string | undefined> {
  if (await isFree(port)) return undefined
  return `Port ${port} is in use, and ${who} needs it. Stop what listens there, or take other ports with --port.`
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
