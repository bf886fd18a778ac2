import { dispatchLogContract } from '@almanac/engine/contracts/dispatch-log'
import { eventLogContract } from '@almanac/engine/contracts/event-log'
import { runStoreContract } from '@almanac/engine/contracts/run-store'
import { viewStoreContract } from '@almanac/engine/contracts/view-store'
import { openForTest } from './store.fixture.js'

eventLogContract('sqlite', async () => {
  const { store, close } = openForTest()
  return { log: store.eventLog, close }
})

dispatchLogContract('sqlite', async () => {
  const { store, close } = openForTest()
  const committed = async () =>
    store.runStore.list('default', {}, { limit: 1000 }).items.map(({ command }) => command)
  return { dispatch: store.dispatchLog, committed, close }
})

runStoreContract('sqlite', async () => {
  const { store, close } = openForTest()
  return { dispatch: store.dispatchLog, runs: store.runStore, close }
})

viewStoreContract('sqlite', async () => {
  const { store, close } = openForTest()
  return { views: store.viewStore, close }
})
