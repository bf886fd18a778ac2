import { join } from 'node:path'
import { freePorts } from './child-server.js'
import { type KafkaServer, newClusterId, type StartKafkaOptions, startKafka } from './kafka.js'
import { resolveKafkaJars } from './kafka-jars.js'

export interface StartKafkaClusterOptions
  extends Pick<
    StartKafkaOptions,
    'version' | 'settings' | 'security' | 'heapMb' | 'listeners' | 'onProgress'
  > {
  /** Holds a folder for each broker. */
  readonly folder: string
}

const nodeIds = [1, 2, 3]

/** As in production: what two of three brokers have is safe, and one may be away. */
const settingsOfThree = {
  'default.replication.factor': 3,
  'min.insync.replicas': 2,
  'offsets.topic.replication.factor': 3,
  'transaction.state.log.replication.factor': 3,
  'transaction.state.log.min.isr': 2,
  'unclean.leader.election.enable': false,
}

/** Starts three brokers that are one cluster, and resolves when all of them answer. They end with the process. */
export async function startKafkaCluster({
  folder,
  settings = {},
  listeners = [],
  ...options
}: StartKafkaClusterOptions): Promise<readonly KafkaServer[]> {
  await resolveKafkaJars(options)
  const perBroker = 2 + listeners.length
  const ports = await freePorts(nodeIds.length * perBroker)
  const portsOf = (index: number) => ports.slice(index * perBroker, (index + 1) * perBroker)
  const controllerPorts = new Map(nodeIds.map((id, index) => [id, portsOf(index)[0] ?? 0]))
  const clusterId = newClusterId()
  return await Promise.all(
    nodeIds.map((nodeId, index) => {
      const [, port = 0, ...others] = portsOf(index)
      return startKafka({
        ...options,
        folder: join(folder, `broker-${nodeId}`),
        port,
        listeners: listeners.map((listener, nth) => ({ ...listener, port: others[nth] ?? 0 })),
        quorum: { clusterId, nodeId, controllerPorts },
        settings: { ...settingsOfThree, ...settings },
      })
    }),
  )
}
