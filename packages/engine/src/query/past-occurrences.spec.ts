import { expect, it } from 'vitest'
import { memoryRunStore } from '../memory/run-store.js'
import { SeededRandom } from '../memory/seeded-random.js'
import { memoryViewStore } from '../memory/view-store.js'
import { sampleRun } from '../ports/samples.contract.js'
import { Definitions } from '../scheduling/definitions.js'
import { pastOccurrences } from './past-occurrences.js'

it('the oldest of very many runs come first, page by page to the last', () => {
  const runs = memoryRunStore(new SeededRandom(1))
  // Most of them in a short stretch, and one long before.
  const instants = [10, ...Array.from({ length: 21_000 }, (_, index) => 5_000_000 + 7 * index)]
  runs.record({
    partition: 0,
    seq: 1,
    decidedAt: 1,
    runs: instants.map((scheduledAt) => sampleRun(`run-${scheduledAt}`, { scheduledAt, taskId: 'task-1' })),
    skips: [],
    resets: [],
  })
  const definitions = new Definitions(memoryViewStore())
  const page = (from: number, max: number) =>
    pastOccurrences(
      { runs, definitions },
      { namespace: 'default', taskId: 'task-1', from, until: 1e12, max, isContinued: true },
      [],
    ).map(({ at }) => at)
  expect(page(0, 3)).toEqual([10, 5_000_000, 5_000_007])
  const found: number[] = []
  for (let next = page(0, 5_000); next.length > 0; next = page((next.at(-1) ?? 0) + 1, 5_000))
    found.push(...next)
  expect(found).toEqual(instants)
})
