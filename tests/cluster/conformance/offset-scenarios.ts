import { expectOk, type Lab } from './lab.js'
import type { Scenario } from './scenario.js'

/** Offsets of consumer groups in transactions: why no checkpoint is kept in them. */
export const offsetScenarios: readonly Scenario[] = [
  {
    name: 'a pending offset of a group is invisible without an error',
    experiment: 'E1',
    documented: { none: -1, first: 7, pending: 7, aborted: 7, committed: 9 },
    run: async (lab) => {
      const [place, group, id] = [await placeOf(lab), lab.id('g'), lab.id('a')]
      const producer = await lab.init(id)
      const none = await lab.offsetOf(group, place)
      await commitOffset(lab, id, producer, 7)
      const first = await lab.offsetOf(group, place)
      await stageOwn(lab, id, producer, 8)
      await lab.pass(200)
      const pending = await lab.offsetOf(group, place)
      expectOk(await lab.end(id, producer, false))
      await lab.pass(300)
      const aborted = await lab.offsetOf(group, place)
      await commitOffset(lab, id, producer, 9)
      return { none, first, pending, aborted, committed: await lab.offsetOf(group, place) }
    },
  },
  {
    name: 'the offset right after a commit may be the one before',
    experiment: 'E11',
    documented: { staleAtTimes: true, otherValues: 0 },
    run: async (lab) => {
      const [place, group, id] = [await placeOf(lab), lab.id('g'), lab.id('a')]
      let [stale, other, staleLater] = [0, 0, 0]
      const rounds = 150
      for (let round = 1; round <= rounds; round += 1) {
        const producer = await lab.init(id)
        await stageOwn(lab, id, producer, round)
        expectOk(await lab.end(id, producer))
        const atOnce = await lab.offsetOf(group, place)
        if (atOnce === (round === 1 ? -1 : round - 1)) stale += 1
        else if (atOnce !== round) other += 1
        await lab.init(id)
        if ((await lab.offsetOf(group, place)) !== round) staleLater += 1
        await lab.until('the offset to be seen', async () => (await lab.offsetOf(group, place)) === round)
      }
      // Nothing promises that it is right after the next holder has begun, so that is told and not compared.
      lab.subject.report(
        `E11: stale at once in ${stale} of ${rounds} rounds, after a new holder in ${staleLater}`,
      )
      return { staleAtTimes: stale > 0, otherValues: other }
    },
  },
  {
    name: 'an offset is committed into a group without being a member of it',
    experiment: 'E13',
    documented: { staged: 'OK', committed: 5 },
    run: async (lab) => {
      const [place, group, id] = [await placeOf(lab), lab.id('g'), lab.id('a')]
      await lab.subject.joinGroup(group, place.topic)
      const producer = await lab.init(id)
      const staged = await lab.stage(id, producer, group, place, 5)
      expectOk(await lab.end(id, producer))
      await lab.until('the offset', async () => (await lab.offsetOf(group, place)) !== -1)
      return { staged, committed: await lab.offsetOf(group, place) }
    },
  },
  {
    name: 'an earlier holder can stage no offset any more',
    experiment: 'E13',
    documented: { refused: 'INVALID_PRODUCER_EPOCH', offset: 3 },
    run: async (lab) => {
      const [place, group, id] = [await placeOf(lab), lab.id('g'), lab.id('a')]
      const old = await lab.init(id)
      await commitOffset(lab, id, old, 3)
      const holder = await lab.init(id)
      const refused = await lab.stage(id, old, group, place, 4)
      await stageOwn(lab, id, holder, 5)
      expectOk(await lab.end(id, holder, false))
      await lab.pass(300)
      return { refused, offset: await lab.offsetOf(group, place) }
    },
  },
  {
    name: 'the offset of a group without members is gone some time after its commit, without an error',
    experiment: 'E5',
    when: 'long',
    documented: { atFirst: 7, before: 7, after: -1 },
    run: async (lab) => {
      const [place, group, id] = [await placeOf(lab), lab.id('g'), lab.id('a')]
      await commitOffset(lab, id, await lab.init(id), 7)
      const atFirst = await lab.offsetOf(group, place)
      await lab.pass(50_000)
      const before = await lab.offsetOf(group, place)
      await lab.pass(10_000)
      await lab.until('the offset to expire', async () => (await lab.offsetOf(group, place)) !== 7)
      return { atFirst, before, after: await lab.offsetOf(group, place) }
    },
  },
]

const placeOf = async (lab: Lab) => ({ topic: await lab.topic('t'), partition: 0 })

type Holder = Awaited<ReturnType<Lab['init']>>

/** In the scenario's own group and place. */
async function stageOwn(lab: Lab, id: string, producer: Holder, offset: number): Promise<void> {
  expectOk(await lab.stage(id, producer, lab.id('g'), { topic: lab.id('t'), partition: 0 }, offset))
}

async function commitOffset(lab: Lab, id: string, producer: Holder, offset: number): Promise<void> {
  await stageOwn(lab, id, producer, offset)
  expectOk(await lab.end(id, producer))
  const place = { topic: lab.id('t'), partition: 0 }
  await lab.until('the offset to be seen', async () => (await lab.offsetOf(lab.id('g'), place)) === offset)
}
