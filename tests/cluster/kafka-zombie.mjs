/**
 * Takes an id over, commits one record, and sends another that it commits only when it is told to: there is time to
 * stop it in between. Tells its parent what came of it.
 */
import { KafkaTransactionLog, parseKafka } from '@almanac/adapters/kafka'
import { systemClock } from '@almanac/adapters/system'

const [bootstrap = '', topic = '', id = '', round = ''] = process.argv.slice(2)
const log = new KafkaTransactionLog({ connection: parseKafka(bootstrap), clock: systemClock() })
const holder = await log.takeOver(id)
const send = (value) => holder.send([{ topic, partition: 0, key: value, value }])
await send(`kept-${round}`)
await holder.commit()
await send(`half-${round}`)
process.once('message', async () => {
  // What it was doing when it was stopped: half of them commit, half send more.
  const outcome = Number(round) % 2 === 0 ? await holder.commit() : (await send(`stale-${round}`)).outcome
  process.send?.({ outcome }, () => process.exit(0))
})
process.send?.({ outcome: 'sent' })
