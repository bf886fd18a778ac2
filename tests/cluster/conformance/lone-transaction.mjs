import { KafkaTransactionLog, parseKafka } from '@almanac/adapters/kafka'
import { systemClock } from '@almanac/adapters/system'

/** One transaction in a process that its parent may stop in the middle of it. */
const [bootstrap, transactionalId, topic, value, holdMs] = process.argv.slice(2)

const log = new KafkaTransactionLog({ connection: parseKafka(bootstrap), clock: systemClock() })
const holder = await log.takeOver(transactionalId)
await holder.send([{ topic, partition: 0, key: value, value }])
process.send({ sent: true })
await new Promise((resolve) => setTimeout(resolve, Number(holdMs)))
const outcome = await holder.commit().catch((fault) => fault.code ?? String(fault))
process.send({ outcome })
process.disconnect()
await holder.close()
