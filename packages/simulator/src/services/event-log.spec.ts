import { eventLogContract } from '@almanac/engine/contracts/event-log'
import { EventLogService, SimEventLog } from './index.js'
import { pumpedWorld } from './services.spec-support.js'

eventLogContract('simulated', async () => {
  const { world, process, close } = pumpedWorld()
  return { log: new SimEventLog(process, new EventLogService(world)), close }
})

eventLogContract('simulated, with a slow disk and pages that come late', async () => {
  const { world, process, close } = pumpedWorld()
  const service = new EventLogService(world)
  Object.assign(service.faults, { flushMs: 20, lateAnswerMs: 20 })
  service.slowFor(process.name, 50)
  return { log: new SimEventLog(process, service), close }
})
