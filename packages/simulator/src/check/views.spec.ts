import type { RecordedEvent } from '@almanac/domain'
import { memoryViewStore } from '@almanac/engine'
import { describe, expect, it } from 'vitest'
import { runSeed } from '../run.js'
import { ViewFold } from './views.js'

async function eventsOfSeed(): Promise<readonly RecordedEvent[]> {
  const { history } = await runSeed(6, { spanMs: 10_000, tasks: 5, only: [] })
  return history.flatMap((record) => (record.kind === 'event' ? [record.event] : []))
}

describe('the fold that read models are compared with', () => {
  it('finds read models that say a position and do not have its rows', async () => {
    const events = await eventsOfSeed()
    const views = memoryViewStore()
    views.apply({
      position: events.length,
      at: 0,
      tasks: [],
      schedules: [],
      calendars: [],
      markers: new Map(),
    })
    const fold = new ViewFold()
    fold.upTo(events, events.length)
    const created = events.filter(({ type }) => type === 'TaskCreated')
    const missing = fold.differences(views).filter((message) => message.startsWith('task '))
    expect(created.length).toBeGreaterThan(0)
    expect(missing.length).toBe(created.length)
  })

  it('finds read models at another position', async () => {
    const fold = new ViewFold()
    fold.upTo(await eventsOfSeed(), 3)
    expect(fold.differences(memoryViewStore())).toEqual(['the read models say position 0 at 3'])
  })
})
