import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ChildServer, freePorts } from './child-server.js'
import { resolveKafkaJars } from './kafka-jars.js'

/** One more listener, for clients that reach the broker by another way, such as through a proxy. */
export interface KafkaListener {
  /** Where the broker listens. Default: a free port. */
  readonly port?: number
  /** The port that clients of this listener are told: the proxy's. Default: `port`. */
  readonly advertisedPort?: number
  /** The host that clients of this listener are told. Default: the broker's. */
  readonly advertisedHost?: string
  /** `SASL_SSL` needs `security`. Default: `PLAINTEXT`. */
  readonly protocol?: 'PLAINTEXT' | 'SASL_SSL'
}

/** How listeners with TLS and users know themselves and others. Files in PEM. */
export interface KafkaSecurity {
  /** The broker's key, which is not encrypted, and after it its certificate. */
  readonly keyStoreFile: string
  /** Passwords by user, by SCRAM-SHA-512 and by PLAIN. Those of SCRAM are taken at the first start only. */
  readonly users: Readonly<Record<string, string>>
  /** Clients must show a certificate of one of these. Default: they need none. */
  readonly clientAuthoritiesFile?: string
}

/** One broker of several. */
export interface KafkaQuorum {
  readonly clusterId: string
  readonly nodeId: number
  /** Ports of all controllers on the broker's host, by the id of their node. */
  readonly controllerPorts: ReadonlyMap<number, number>
}

export interface StartKafkaOptions {
  /** Holds data, settings and log. One that has been used before is gone on with. */
  readonly folder: string
  /** Default: a free port. */
  readonly port?: number
  /** Default: 127.0.0.1. */
  readonly host?: string
  /** Default: `ALMANAC_TEST_KAFKA_VERSION` of the environment, else 3.9.1. */
  readonly version?: string
  /** Beside the one at `port`. */
  readonly listeners?: readonly KafkaListener[]
  /** The broker's own settings: added to those below, or in place of them. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>
  readonly security?: KafkaSecurity
  /** Default: it is alone. */
  readonly quorum?: KafkaQuorum
  /** Default: 256. */
  readonly heapMb?: number
  readonly onProgress?: (message: string) => void
}

/** A broker in a process of its own. */
export interface KafkaServer {
  /** Host and port. */
  readonly bootstrap: string
  readonly host: string
  readonly port: number
  /** Where the broker itself listens, in the order of the option. */
  readonly listeners: readonly { readonly host: string; readonly port: number }[]
  /** What the broker prints. */
  readonly logFile: string
  /** Of the process that runs now. */
  readonly pid: number
  /** Asks it to end, and waits for it. */
  stop(): Promise<void>
  /** Ends it as a failing machine would. */
  kill(): Promise<void>
  /** Starts it again after `stop` or `kill`, with the same folder and ports, and waits until it answers. */
  start(): Promise<void>
  /** It stands still: connections stay, and nothing is answered. */
  freeze(): void
  thaw(): void
}

/** One node that is broker and controller, small and quick to start. */
const settingsOfAll = {
  'process.roles': 'broker,controller',
  'node.id': 1,
  'controller.listener.names': 'CONTROLLER',
  'inter.broker.listener.name': 'PLAINTEXT',
  'offsets.topic.replication.factor': 1,
  'offsets.topic.num.partitions': 4,
  'transaction.state.log.replication.factor': 1,
  'transaction.state.log.min.isr': 1,
  'transaction.state.log.num.partitions': 4,
  'group.initial.rebalance.delay.ms': 0,
  'auto.create.topics.enable': false,
  // One that was killed is not taken for alive for long: it comes back under the same id.
  'broker.session.timeout.ms': 3_000,
  'broker.heartbeat.interval.ms': 500,
  'log.cleaner.dedupe.buffer.size': 8_388_608,
} as const

const readyWithinMs = 60_000
const javaFlags = (heapMb = 256) => [`-Xmx${heapMb}m`, '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC']
const logFlags = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-Dlog4j2.level=WARN']

/** Starts a broker, and resolves when it answers. It ends with the process that called. */
export async function startKafka(options: StartKafkaOptions): Promise<KafkaServer> {
  const { folder, host = '127.0.0.1', listeners = [], quorum, heapMb } = options
  const jars = await resolveKafkaJars(options)
  const controllerPort = quorum?.controllerPorts.get(quorum.nodeId)
  const wanted = [options.port, ...listeners.map(({ port }) => port), controllerPort]
  const free = await freePorts(wanted.length, host)
  const ports = wanted.map((port, index) => port ?? free[index] ?? 0)
  await mkdir(folder, { recursive: true })
  const properties = join(folder, 'server.properties')
  await writeFile(properties, propertiesOf(settingsFor(options, ports)))
  if (!existsSync(join(folder, 'data', 'meta.properties'))) await format(options, jars, properties)
  const [port = 0, ...others] = ports
  const broker = new LocalKafka({
    host,
    port,
    listeners: listeners.map((_, index) => ({ host, port: others[index] ?? 0 })),
    folder,
    jars,
    heapMb,
  })
  await broker.start()
  return broker
}

function settingsFor(
  options: StartKafkaOptions,
  ports: readonly number[],
): Readonly<Record<string, unknown>> {
  const { folder, host = '127.0.0.1', listeners = [], quorum, security } = options
  const main = { name: 'PLAINTEXT', port: ports[0], advertised: `${host}:${ports[0]}`, protocol: 'PLAINTEXT' }
  const controller = ports.at(-1) ?? 0
  const others = listeners.map(({ advertisedHost = host, advertisedPort, protocol = 'PLAINTEXT' }, index) => {
    const port = ports[index + 1]
    const advertised = `${advertisedHost}:${advertisedPort ?? port}`
    return { name: `LISTENER${index}`, port, advertised, protocol }
  })
  const all = [main, ...others]
  const secured = others.filter(({ protocol }) => protocol === 'SASL_SSL').map(({ name }) => name)
  const voters = quorum?.controllerPorts ?? new Map([[settingsOfAll['node.id'], controller]])
  return {
    ...settingsOfAll,
    ...(quorum === undefined ? {} : { 'node.id': quorum.nodeId }),
    ...(security === undefined ? {} : securitySettings(security, secured)),
    listeners: [...all, { name: 'CONTROLLER', port: controller }]
      .map(({ name, port }) => `${name}://${host}:${port}`)
      .join(),
    'advertised.listeners': all.map(({ name, advertised }) => `${name}://${advertised}`).join(),
    'listener.security.protocol.map': [...all, { name: 'CONTROLLER', protocol: 'PLAINTEXT' }]
      .map(({ name, protocol }) => `${name}:${protocol}`)
      .join(),
    'controller.quorum.voters': [...voters].map(([id, port]) => `${id}@${host}:${port}`).join(),
    'log.dirs': join(folder, 'data'),
    ...options.settings,
  }
}

const loginModule = (name: string) => `org.apache.kafka.common.security.${name}LoginModule required`

function securitySettings(
  { keyStoreFile, users, clientAuthoritiesFile }: KafkaSecurity,
  listeners: readonly string[],
): Readonly<Record<string, unknown>> {
  const plainUsers = Object.entries(users).map(([name, password]) => ` user_${name}="${password}"`)
  const settings = listeners.map((listener) => {
    const prefix = `listener.name.${listener.toLowerCase()}`
    return {
      [`${prefix}.sasl.enabled.mechanisms`]: 'SCRAM-SHA-512,PLAIN',
      [`${prefix}.scram-sha-512.sasl.jaas.config`]: `${loginModule('scram.Scram')};`,
      [`${prefix}.plain.sasl.jaas.config`]: `${loginModule('plain.Plain')}${plainUsers.join('')};`,
      [`${prefix}.ssl.client.auth`]: clientAuthoritiesFile === undefined ? 'none' : 'required',
    }
  })
  return Object.assign(
    { 'ssl.keystore.type': 'PEM', 'ssl.keystore.location': keyStoreFile },
    clientAuthoritiesFile === undefined
      ? {}
      : { 'ssl.truststore.type': 'PEM', 'ssl.truststore.location': clientAuthoritiesFile },
    ...settings,
  )
}

const propertiesOf = (settings: Readonly<Record<string, unknown>>): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')

/** The first byte is 0, since an id that begins with "-" is taken for an option. */
export const newClusterId = (): string =>
  Buffer.concat([Buffer.alloc(1), randomBytes(15)]).toString('base64url')

async function format(
  { quorum, security }: StartKafkaOptions,
  jars: string,
  properties: string,
): Promise<void> {
  const scram = Object.entries(security?.users ?? {}).flatMap(([name, password]) => [
    '--add-scram',
    `SCRAM-SHA-512=[name=${name},password=${password}]`,
  ])
  const clusterId = quorum?.clusterId ?? newClusterId()
  const tool = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', properties, ...scram]
  await promisify(execFile)('java', [...javaFlags(), ...logFlags, '-cp', join(jars, '*'), ...tool])
}

interface LocalKafkaParts {
  readonly host: string
  readonly port: number
  readonly listeners: KafkaServer['listeners']
  readonly folder: string
  readonly jars: string
  readonly heapMb: number | undefined
}

class LocalKafka implements KafkaServer {
  readonly bootstrap: string
  readonly host: string
  readonly port: number
  readonly listeners: KafkaServer['listeners']
  readonly logFile: string
  private readonly parts: LocalKafkaParts
  private child: ChildServer | undefined

  constructor(parts: LocalKafkaParts) {
    this.parts = parts
    this.host = parts.host
    this.port = parts.port
    this.listeners = parts.listeners
    this.bootstrap = `${parts.host}:${parts.port}`
    this.logFile = join(parts.folder, 'broker.log')
  }

  get pid(): number {
    return this.running.pid
  }

  async start(): Promise<void> {
    if (this.child?.isRunning === true) throw new Error('The broker is running')
    const { folder, jars, host, port, heapMb } = this.parts
    const main = ['kafka.Kafka', join(folder, 'server.properties')]
    const args = [...javaFlags(heapMb), ...logFlags, '-cp', join(jars, '*'), ...main]
    this.child = new ChildServer({ command: 'java', args, logFile: this.logFile })
    await this.child.untilReady(() => answers(host, port), readyWithinMs)
  }

  async stop(): Promise<void> {
    await this.child?.end('SIGTERM')
  }

  async kill(): Promise<void> {
    await this.child?.end('SIGKILL')
  }

  freeze(): void {
    this.running.freeze()
  }

  thaw(): void {
    this.running.thaw()
  }

  private get running(): ChildServer {
    if (this.child === undefined) throw new Error('The broker has not been started')
    return this.child
  }
}

/** ApiVersions, version 0, without a client's name: the first question of every client. */
const apiVersions = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff])

/** True when the broker answers a request: it takes connections well before that. */
const answers = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1_000 }, () => socket.write(apiVersions))
    const settle = (isThere: boolean) => {
      socket.destroy()
      resolve(isThere)
    }
    socket.once('data', () => settle(true))
    socket.once('error', () => settle(false))
    socket.once('timeout', () => settle(false))
    socket.once('close', () => settle(false))
  })
