import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const pom = fileURLToPath(new URL('../kafka/pom.xml', import.meta.url))
const repository = fileURLToPath(new URL('../..', import.meta.url))

export const defaultKafkaVersion = '3.9.1'

export interface KafkaJarsOptions {
  /** Default: `ALMANAC_TEST_KAFKA_VERSION` of the environment, else 3.9.1. */
  readonly version?: string
  /** Where folders with jars are kept, one for each version. Default: `.cache` of the repository. */
  readonly cache?: string
  readonly onProgress?: (message: string) => void
}

/** The folder with the jars of a broker. Maven fetches them the first time: about 45 MB. */
export async function resolveKafkaJars(options: KafkaJarsOptions = {}): Promise<string> {
  const { cache = join(repository, '.cache'), onProgress } = options
  const version = options.version ?? process.env.ALMANAC_TEST_KAFKA_VERSION ?? defaultKafkaVersion
  if (!/^\d+\.\d+\.\d+$/.test(version)) throw new Error(`"${version}" is no version of Kafka`)
  const folder = join(cache, `kafka-${version}`)
  if (existsSync(folder)) return folder
  onProgress?.(`Fetching the jars of Kafka ${version} with Maven into ${folder}`)
  // A folder of its own first: another process may be doing the same.
  const fresh = `${folder}.${process.pid}`
  await mkdir(dirname(folder), { recursive: true })
  await runMaven(version, fresh)
  await rename(fresh, folder).catch(() => rm(fresh, { recursive: true, force: true }))
  return folder
}

async function runMaven(version: string, target: string): Promise<void> {
  const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${target}`]
  const maven = spawn('mvn', ['-B', '-q', '-f', pom, `-Dkafka.version=${version}`, ...goal])
  let output = ''
  maven.stdout.on('data', (chunk) => {
    output += chunk
  })
  maven.stderr.on('data', (chunk) => {
    output += chunk
  })
  const [code] = await once(maven, 'close').catch((error) => {
    throw new Error('A Kafka broker for tests needs Maven (`mvn`) and Java 17', { cause: error })
  })
  if (code !== 0) throw new Error(`Maven could not fetch Kafka ${version}:\n${output}`)
}
