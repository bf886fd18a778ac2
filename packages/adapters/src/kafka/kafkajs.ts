import { createRequire } from 'node:module'
import { connect as connectSocket, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import kafkajs, {
  type ISocketFactory,
  type Kafka,
  type KafkaConfig,
  type LogEntry,
  type RetryOptions,
} from 'kafkajs'
import { type AccessProblem, isCertificateCode } from '../system/index.js'
import { deniedCodes } from './codes.js'
import type { KafkaConnection } from './connection.js'

/**
 * The door to kafkajs. Its connections, TLS, SASL, metadata and administration are used; its producer and consumer
 * are not, since they break what `TransactionLog` promises. `docs/adr` tells why. What is reached here beyond its
 * public interface belongs to version 2.2.4, which is pinned; `kafkajs.spec.ts` looks whether it is still there.
 */
// Node finds no named exports in kafkajs, whatever its types say.
const { logLevel } = kafkajs
const require = createRequire(import.meta.url)

/** What is sent, and how the answer is read. */
export interface Exchange<T> {
  readonly request: {
    readonly apiKey: number
    readonly apiVersion: number
    readonly apiName: string
    readonly encode: () => Promise<unknown>
  }
  readonly response: {
    /** What it gives has `clientSideThrottleTime`: how long the broker wants nothing more on this connection. */
    decode(bytes: Buffer): Promise<T>
    parse(decoded: T): Promise<T>
  }
  readonly requestTimeout?: number
}

/** One broker. Its methods throw when it refuses, with its `code`, and when it does not answer, without. */
export interface WireBroker {
  readonly connectionPool: {
    send<T>(exchange: Exchange<T>): Promise<T>
  }
  /** Without a transactional id: for a producer that is idempotent alone. */
  initProducerId(request: {
    readonly transactionalId?: string
    readonly transactionTimeout: number
  }): Promise<{ readonly producerId: string; readonly producerEpoch: number }>
  addPartitionsToTxn(
    request: InTransaction & {
      readonly topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[]
    },
  ): Promise<unknown>
  endTxn(request: InTransaction & { readonly transactionResult: boolean }): Promise<unknown>
  listOffsets(request: {
    readonly isolationLevel: number
    readonly topics: readonly {
      readonly topic: string
      readonly partitions: readonly { readonly partition: number; readonly timestamp: number }[]
    }[]
  }): Promise<{
    readonly responses: readonly {
      readonly partitions: readonly { readonly partition: number; readonly offset: string }[]
    }[]
  }>
}

interface InTransaction {
  readonly transactionalId: string
  readonly producerId: string
  readonly producerEpoch: number
}

interface PartitionMetadata {
  readonly partitionId: number
  readonly leader: number
  readonly partitionErrorCode: number
}

export interface WireCluster {
  connect(): Promise<void>
  disconnect(): Promise<void>
  isConnected(): boolean
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>
  refreshMetadata(): Promise<void>
  refreshMetadataIfNecessary(): Promise<void>
  findBroker(wanted: { readonly nodeId: number }): Promise<WireBroker>
  findControllerBroker(): Promise<WireBroker>
  findGroupCoordinator(wanted: {
    readonly groupId: string
    readonly coordinatorType: number
  }): Promise<WireBroker>
  findTopicPartitionMetadata(topic: string): readonly PartitionMetadata[]
  removeBroker(place: { readonly host: string; readonly port: number }): void
}

interface Encoder {
  buf: Buffer
  offset: number
}

const ClusterOfKafkajs = require('kafkajs/src/cluster/index.js') as new (options: object) => WireCluster
const EncoderOfKafkajs = require('kafkajs/src/protocol/encoder.js') as new (size: number) => Encoder
const { createLogger } = require('kafkajs/src/loggers/index.js') as {
  createLogger(options: object): object
}
const { createErrorFromCode } = require('kafkajs/src/protocol/error.js') as {
  createErrorFromCode(code: number): Error & { readonly type: string }
}
const { prototype: queue } = require('kafkajs/src/network/requestQueue/index.js') as {
  readonly prototype: { pending: readonly unknown[]; scheduleCheckPendingRequests(): void }
}

/**
 * kafkajs looks after requests that wait, a thousand times a second for each connection, even where none waits
 * (tulios/kafkajs#1704): with a connection for each partition that is a good part of a core.
 */
const check = queue.scheduleCheckPendingRequests
queue.scheduleCheckPendingRequests = function (this: typeof queue) {
  if (this.pending.length > 0) check.call(this)
}

/** As kafkajs wants the body of a request. The bytes are not copied. */
export function encoded(bytes: Buffer): unknown {
  const encoder = new EncoderOfKafkajs(1)
  encoder.buf = bytes
  encoder.offset = bytes.length
  return encoder
}

/** The error that a broker answers by a number. */
export const errorOfCode = (code: number): Error => createErrorFromCode(code)

/** The number of a broker's refusal; undefined: it is another error, such as no answer. */
export function codeOf(error: unknown): number | undefined {
  const { name, code } = error as { readonly name?: unknown; readonly code?: unknown }
  return name === 'KafkaJSProtocolError' && typeof code === 'number' ? code : undefined
}

/** All refusals in an error: kafkajs gathers those of several topics. */
export function codesIn(error: unknown): readonly number[] {
  const { errors } = error as { readonly errors?: unknown }
  const all: readonly unknown[] = Array.isArray(errors) ? errors : [error]
  return all
    .map((one) => (one as { readonly code?: unknown } | null)?.code)
    .filter((one) => typeof one === 'number')
}

/** Why there is no way in, when this error itself tells of that: not what lies behind it. */
export function accessProblemOf(error: Error): AccessProblem | undefined {
  const isDenied = codesIn(error).some((one) => deniedCodes.has(one))
  if (isDenied || error.name === 'KafkaJSSASLAuthenticationError') return 'credentials'
  return isCertificateCode((error as { readonly code?: unknown }).code) ? 'certificate' : undefined
}

export interface ClientOptions {
  /** A broker that does not answer a request for this long is given up. */
  readonly requestTimeoutMs: number
  readonly connectTimeoutMs: number
}

/** Tells what kafkajs would print. */
export type OnLog = (level: 'error' | 'warn' | 'info' | 'debug', message: string) => void

/** Tries that kafkajs makes by itself are few: whoever calls has a deadline and tries again. */
const retry: RetryOptions = {
  initialRetryTime: 20,
  maxRetryTime: 200,
  factor: 0.2,
  multiplier: 2,
  retries: 3,
}

const clientId = 'almanac'
/**
 * So long before a session ends by the broker's clock (`connections.max.reauth.ms`) kafkajs tells again who it is, with
 * the next request. Brokers take that once in a second at most: sessions must be longer than this and that.
 */
const reauthenticationThreshold = 2_000
const metadataMaxAgeMs = 60_000

/** A client of its own: with connections that nobody shares, which end at once when it is closed. */
export class WireClient {
  readonly cluster: WireCluster
  private readonly connectTimeoutMs: number
  private readonly sockets = new Set<Socket>()
  private isClosed = false

  constructor(connection: KafkaConnection, options: ClientOptions, onLog: OnLog) {
    this.connectTimeoutMs = options.connectTimeoutMs
    this.cluster = new ClusterOfKafkajs({
      logger: createLogger({ level: logLevel.INFO, logCreator: () => logTo(onLog) }),
      brokers: connection.brokers,
      ssl: connection.tls,
      sasl: connection.sasl,
      clientId,
      retry,
      socketFactory: this.socketFactory,
      connectionTimeout: options.connectTimeoutMs,
      authenticationTimeout: options.requestTimeoutMs,
      reauthenticationThreshold,
      requestTimeout: options.requestTimeoutMs,
      enforceRequestTimeout: true,
      metadataMaxAge: metadataMaxAgeMs,
      allowAutoTopicCreation: false,
      maxInFlightRequests: 1,
    })
  }

  /** Whoever waits for an answer gets an error. */
  close(): void {
    this.isClosed = true
    for (const socket of this.sockets) socket.destroy(new Error('The client has been closed'))
    this.cluster.disconnect().catch(() => {})
  }

  private readonly socketFactory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
    if (this.isClosed) throw new Error('The client has been closed')
    const socket = ssl
      ? connectTls({ host, port, ...ssl }, onConnect)
      : connectSocket({ host, port }, onConnect)
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 60_000)
    // kafkajs lets go of a socket that is gone again and again, and each time Node notes to do so once it connects.
    socket.setMaxListeners(0)
    this.sockets.add(socket)
    // kafkajs would leave one that does not connect to the system, which takes minutes.
    const late = setTimeout(
      () => socket.destroy(new Error('It takes too long to connect')),
      this.connectTimeoutMs,
    )
    socket.once(ssl ? 'secureConnect' : 'connect', () => clearTimeout(late))
    socket.once('close', () => {
      clearTimeout(late)
      this.sockets.delete(socket)
    })
    return socket
  }
}

/** kafkajs' public client, for administration. */
export const publicClient = (connection: KafkaConnection, options: ClientOptions, onLog: OnLog): Kafka => {
  const config: KafkaConfig = {
    brokers: [...connection.brokers],
    clientId,
    retry: { ...retry, retries: 8 },
    connectionTimeout: options.connectTimeoutMs,
    reauthenticationThreshold,
    requestTimeout: options.requestTimeoutMs,
    logLevel: logLevel.INFO,
    logCreator: () => logTo(onLog),
    ...(connection.tls && { ssl: connection.tls }),
    ...(connection.sasl && { sasl: connection.sasl }),
  }
  return new kafkajs.Kafka(config)
}

const levels: { readonly [level: number]: Parameters<OnLog>[0] } = {
  [logLevel.ERROR]: 'error',
  [logLevel.WARN]: 'warn',
  [logLevel.INFO]: 'info',
}

const logTo =
  (onLog: OnLog) =>
  ({ level, namespace, log }: LogEntry): void => {
    const { error, message } = log
    onLog(
      levels[level] ?? 'debug',
      `${namespace}: ${message}${typeof error === 'string' ? `: ${error}` : ''}`,
    )
  }
