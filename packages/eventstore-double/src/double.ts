import gossipGrpc from '@eventstore/db-client/generated/gossip_grpc_pb.js'
import featuresGrpc from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js'
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js'
import {
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { Access, type DoubleUser } from './access.js'
import { Faults } from './faults.js'
import { append } from './rpc/append.js'
import { BatchAppends } from './rpc/batch-append.js'
import { softDelete, tombstone } from './rpc/deletion.js'
import { clusterInfo, supportedMethods } from './rpc/discovery.js'
import { read } from './rpc/read.js'
import { asAnswer, type ServiceParts } from './rpc/service.js'
import { Log, type LogOptions } from './store/log.js'
import { newId, pause } from './world.js'

export interface DoubleOptions extends LogOptions {
  /** @default 0: any that is free */
  readonly port?: number
  /** @default '127.0.0.1' */
  readonly host?: string
  /** Another double's log: both are nodes of one cluster then. Not closed with this one. */
  readonly log?: Log
  /** PEM texts. Without: no TLS, as a server that runs with `--insecure`. */
  readonly tls?: { readonly certificate: string; readonly key: string }
  /** Who may come in, with a password each. Without: everybody. Clients send credentials over TLS only. */
  readonly users?: Readonly<Record<string, DoubleUser>>
  /** Bytes of one append. @default 1_048_576 */
  readonly maxAppendSize?: number
  /** An append whose messages are not all there after this is given up. Milliseconds. @default 2_000 */
  readonly writeTimeoutMs?: number
  /** Added to every position on the wire. @default 0n */
  readonly positionOffset?: bigint
}

/** A running double. */
export class EventStoreDouble {
  readonly faults = new Faults()
  readonly log: Log
  readonly host: string
  private readonly options: DoubleOptions
  private readonly parts: ServiceParts
  private readonly instance = newId()
  private server: Server | undefined
  private bound = 0

  constructor(options: DoubleOptions = {}) {
    this.options = options
    this.host = options.host ?? '127.0.0.1'
    this.log = options.log ?? new Log(options)
    this.parts = {
      log: this.log,
      faults: this.faults,
      access: new Access(options.users),
      maxAppendSize: options.maxAppendSize ?? 1_048_576,
      writeTimeoutMs: options.writeTimeoutMs ?? 2_000,
      positionOffset: options.positionOffset ?? 0n,
    }
  }

  get port(): number {
    return this.bound
  }

  /** For a client, without credentials. */
  get connectionString(): string {
    return `esdb://${this.host}:${this.port}?tls=${this.options.tls !== undefined}`
  }

  async start(): Promise<void> {
    this.server = this.createServer()
    this.bound = await bind(this.server, this.host, this.options.port ?? 0, this.credentials())
  }

  /** Cuts every connection. The server goes on, at the same address. */
  async disconnectAll(): Promise<void> {
    this.server?.forceShutdown()
    this.server = this.createServer()
    for (let attempt = 0; ; attempt++) {
      try {
        await bind(this.server, this.host, this.bound, this.credentials())
        return
      } catch (error) {
        if (attempt === 100) throw error
        await pause(20)
      }
    }
  }

  async stop(): Promise<void> {
    this.faults.release()
    this.server?.forceShutdown()
    this.server = undefined
    if (this.options.log === undefined) await this.log.close()
  }

  private credentials(): ServerCredentials {
    const { tls } = this.options
    if (tls === undefined) return ServerCredentials.createInsecure()
    const pair = { private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.certificate) }
    return ServerCredentials.createSsl(null, [pair], false)
  }

  private createServer(): Server {
    const { parts } = this
    const cutAll = () => void this.disconnectAll()
    const server = new Server({ 'grpc.max_receive_message_length': 17 * 1024 * 1024 })
    const streams: UntypedServiceImplementation = {
      read: (call: Parameters<typeof read>[1]) => void read(parts, call),
      append: (...[call, callback]: TakeOff<Parameters<typeof append>>) =>
        void append(parts, call, callback, cutAll),
      batchAppend: (call: ConstructorParameters<typeof BatchAppends>[1]) => {
        new BatchAppends(parts, call, cutAll)
      },
      delete: unary((call: Parameters<typeof softDelete>[1]) => softDelete(parts, call)),
      tombstone: unary((call: Parameters<typeof tombstone>[1]) => tombstone(parts, call)),
    }
    server.addService(streamsGrpc.StreamsService, streams)
    const features = unary(async () => {
      await parts.faults.gate()
      return supportedMethods()
    })
    server.addService(featuresGrpc.ServerFeaturesService, { getSupportedMethods: features })
    const gossip = unary(async () => clusterInfo(parts, { host: this.host, port: this.bound }, this.instance))
    server.addService(gossipGrpc.GossipService, { read: gossip })
    return server
  }
}

type TakeOff<P extends readonly unknown[]> = P extends readonly [unknown, infer A, infer B, unknown]
  ? [A, B]
  : never

/** Starts a double; it listens when this resolves. */
export async function startDouble(options: DoubleOptions = {}): Promise<EventStoreDouble> {
  const double = new EventStoreDouble(options)
  await double.start()
  return double
}

const bind = (server: Server, host: string, port: number, credentials: ServerCredentials): Promise<number> =>
  new Promise((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, credentials, (error, bound) => {
      if (error === null) resolve(bound)
      else reject(error)
    })
  })

const unary =
  <Request, Answer>(
    answer: (call: ServerUnaryCall<Request, Answer>) => Promise<Answer>,
  ): handleUnaryCall<Request, Answer> =>
  (call, callback) => {
    answer(call).then(
      (message) => callback(null, message),
      (error: unknown) => callback(asAnswer(error)),
    )
  }
