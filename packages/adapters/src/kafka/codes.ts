/** Error codes of Kafka's protocol, as far as somebody does something about them. */
export const code = {
  none: 0,
  offsetOutOfRange: 1,
  unknownTopicOrPartition: 3,
  leaderNotAvailable: 5,
  notLeader: 6,
  requestTimedOut: 7,
  brokerNotAvailable: 8,
  replicaNotAvailable: 9,
  networkException: 13,
  coordinatorLoading: 14,
  coordinatorNotAvailable: 15,
  notCoordinator: 16,
  invalidTopic: 17,
  notEnoughReplicas: 19,
  notEnoughReplicasAfterAppend: 20,
  topicAuthorizationFailed: 29,
  clusterAuthorizationFailed: 31,
  unsupportedSaslMechanism: 33,
  illegalSaslState: 34,
  topicAlreadyExists: 36,
  invalidReplicationFactor: 38,
  policyViolation: 44,
  invalidProducerEpoch: 47,
  invalidTxnState: 48,
  invalidProducerIdMapping: 49,
  concurrentTransactions: 51,
  transactionalIdAuthorizationFailed: 53,
  operationNotAttempted: 55,
  storageError: 56,
  fencedLeaderEpoch: 74,
  unknownLeaderEpoch: 75,
  offsetNotAvailable: 78,
  producerFenced: 90,
} as const

/**
 * Another holder has the transactional id, or the broker has ended the transaction itself: with the epoch of this
 * holder nobody else could have brought about a state that does not fit.
 */
export const fencedCodes: ReadonlySet<number> = new Set([
  code.invalidProducerEpoch,
  code.invalidTxnState,
  code.invalidProducerIdMapping,
  code.producerFenced,
])

/** The coordinator has moved, or is not ready yet: nothing has been done. */
export const coordinatorPasses: ReadonlySet<number> = new Set([
  code.coordinatorLoading,
  code.coordinatorNotAvailable,
  code.notCoordinator,
  code.concurrentTransactions,
  // The coordinator may hear of a new topic later than the producer.
  code.unknownTopicOrPartition,
  code.operationNotAttempted,
])

/** The same batch may be sent again: its sequence number lets the broker drop what it has already. */
export const leaderPasses: ReadonlySet<number> = new Set([
  code.unknownTopicOrPartition,
  code.leaderNotAvailable,
  code.notLeader,
  code.requestTimedOut,
  code.brokerNotAvailable,
  code.networkException,
  code.notEnoughReplicas,
  code.notEnoughReplicasAfterAppend,
  code.concurrentTransactions,
  code.storageError,
])

/** Another broker leads the partition by now, or will soon. */
export const readerPasses: ReadonlySet<number> = new Set([
  code.leaderNotAvailable,
  code.notLeader,
  code.replicaNotAvailable,
  code.storageError,
  code.fencedLeaderEpoch,
  code.unknownLeaderEpoch,
  code.offsetNotAvailable,
])

/** The topic can't be had, now or later: its name, or the rights of who asks, are against it. */
export const lastingCodes: ReadonlySet<number> = new Set([
  code.invalidTopic,
  code.topicAuthorizationFailed,
  code.clusterAuthorizationFailed,
  code.policyViolation,
])

/** The user may not do this; or the listener has no users, or knows them by another mechanism. */
export const deniedCodes: ReadonlySet<number> = new Set([
  code.topicAuthorizationFailed,
  code.clusterAuthorizationFailed,
  code.unsupportedSaslMechanism,
  code.illegalSaslState,
  code.transactionalIdAuthorizationFailed,
])
