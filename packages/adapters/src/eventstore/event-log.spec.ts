import { eventLogContract } from '@almanac/engine/contracts/event-log'
import { Bench } from './event-log.fixture.js'

eventLogContract('EventStoreDB, the double in memory', async () => {
  const bench = new Bench()
  const double = await bench.double()
  return { log: bench.log(double.connectionString), close: () => bench.close() }
})
