export { freePorts } from './child-server.js'
export { type KafkaListener, type KafkaServer, type StartKafkaOptions, startKafka } from './kafka.js'
export { type KafkaJarsOptions, resolveKafkaJars } from './kafka-jars.js'
