export { probePaths } from './check/rules.js'
export { freePorts } from './child-server.js'
export { markedProcesses } from './cluster/marked.js'
export { type NodeProcessOptions, startNode as startNodeProcess } from './cluster/node-process.js'
export {
  EventStoreDoubleServer,
  type StartEventStoreDoubleOptions,
  startEventStoreDouble,
} from './eventstore-double.js'
export {
  type KafkaListener,
  type KafkaQuorum,
  type KafkaSecurity,
  type KafkaServer,
  type StartKafkaOptions,
  startKafka,
} from './kafka.js'
export { type StartKafkaClusterOptions, startKafkaCluster } from './kafka-cluster.js'
export { type KafkaJarsOptions, resolveKafkaJars } from './kafka-jars.js'
export { FrameSplitter, type KafkaApi, type KafkaRequest } from './kafka-protocol.js'
export { KafkaProxy, type KafkaProxyOptions } from './kafka-proxy.js'
export { type Fault, type FaultOptions, ProxyFaults, type RequestMatch } from './proxy-faults.js'
export type { LinkState } from './proxy-link.js'
export { type RedisServer, type StartRedisOptions, startRedis } from './redis.js'
