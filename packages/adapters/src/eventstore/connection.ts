import { EventStoreDBClient } from '@eventstore/db-client'
import type * as Grpc from '@eventstore/db-client/generated/streams_grpc_pb.js'
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js'
import type * as Streams from '@eventstore/db-client/generated/streams_pb.js'
import type { EventStoreAddress } from './address.js'

type ReadCall = ReturnType<Grpc.StreamsClient['read']>
type BatchCall = ReturnType<Grpc.StreamsClient['batchAppend']>

interface Closable {
  close(): void
}

/** A channel that the client would share with an older, perhaps dead, connection of this process differs in this. */
const generations = 1_000

/**
 * The client's connection: it finds the leader, and connects anew when the server says that it does not lead, or
 * when it is gone. The calls themselves are our own, made from the client's generated definitions:
 *
 * - `appendToStream` keeps the appends of all clients of the process in one table. When one connection breaks, all
 *   are rejected, and an answer that comes after that ends the process (db-client 6.2.1).
 * - Its reads have no deadline, and `readAll` takes no filter, which the server has.
 */
export class Connection extends EventStoreDBClient {
  #channel: Closable | undefined
  #isClosed = false

  constructor(address: EventStoreAddress, name: string, generation: number) {
    const { hosts, discover, tls, username, password } = address
    const settings = {
      connectionName: name,
      // Connections with equal settings share one socket, a broken one too. This makes each generation's its own.
      keepAliveInterval: address.keepAliveIntervalMs + (generation % generations),
      keepAliveTimeout: address.keepAliveTimeoutMs,
    }
    const [first] = hosts
    if (first === undefined) throw new Error('An address without a host.')
    const { ca, cert, key } = tls ?? {}
    const security = {
      insecure: tls === undefined,
      ...(ca === undefined ? {} : { rootCertificate: Buffer.from(ca) }),
      ...(cert === undefined || key === undefined
        ? {}
        : { userCertFile: Buffer.from(cert), userKeyFile: Buffer.from(key) }),
    }
    const user = username === undefined || password === undefined ? undefined : { username, password }
    if (!discover) super({ endpoint: first, ...settings }, security, user)
    else if (hosts.length > 1) super({ endpoints: [...hosts], ...settings }, security, user)
    else super({ discover: first, ...settings }, security, user)
    // It awaits a channel that may be about to fail: the rejection would be nobody's, and end the process.
    const { handleError } = this
    this.handleError = (client, error) => handleError(client, error).catch(() => {})
    const { getChannel } = this
    this.getChannel = async () => {
      const channel = await getChannel()
      this.#channel = channel
      if (this.#isClosed) channel.close()
      return channel
    }
  }

  /** Opens a read or a subscription at the leader, or wherever the connection is. */
  async openRead(request: Streams.ReadReq, requiresLeader: boolean): Promise<ReadCall> {
    const open = this.GRPCStreamCreator(streamsGrpc.StreamsClient, 'read', (client) =>
      client.read(request, ...this.callArguments({ requiresLeader }, { deadline: Number.POSITIVE_INFINITY })),
    )
    return open()
  }

  /** Opens the call over which appends go. */
  async openAppends(): Promise<BatchCall> {
    const open = this.GRPCStreamCreator(streamsGrpc.StreamsClient, 'batchAppend', (client) =>
      client.batchAppend(
        ...this.callArguments({ requiresLeader: true }, { deadline: Number.POSITIVE_INFINITY }),
      ),
    )
    return open()
  }

  /** Ends all calls and lets go of the socket, also of one that is only being opened. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.dispose()
    this.#channel?.close()
  }
}

export type { BatchCall, ReadCall }
