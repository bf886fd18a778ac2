import { eventHash } from '@almanac/domain'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import { expect, it } from 'vitest'
import { event } from './event-log.fixture.js'
import { identifierOf } from './requests.js'
import { recordedOf, wireEventOf, wireIdOf } from './stored-event.js'

/** What a server gives back of an event. */
const recordOf = (wire: ReturnType<typeof wireEventOf>, type = wire.type) => {
  const record = new streams.ReadResp.ReadEvent.RecordedEvent()
  record.setStreamIdentifier(identifierOf('p.s')).setStreamRevision('7')
  record.setCommitPosition('11').setPreparePosition('11')
  record.getMetadataMap().set('type', type)
  return record.setData(wire.data).setCustomMetadata(wire.metadata)
}

const uuid = '1b4e28ba-2fa1-81d2-883f-0016d3cca427'

it('an id that is a UUID is its own, and any other has one made of it', () => {
  expect(wireIdOf(uuid)).toBe(uuid)
  expect(wireIdOf('a')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(new Set(['a', 'b', uuid.toUpperCase(), uuid].map(wireIdOf)).size).toBe(4)
  expect(wireIdOf('a')).toBe(wireIdOf('a'))
})

it.each([
  ['quotes and backslashes', 'a"\\"b","metadata":{}}'],
  ['nothing', ''],
  ['another alphabet', 'ключ \u2028 𝄞'],
])('an id of %s comes back, with the hash of the event', (_what, id) => {
  const stored = event(id, { '2': 1, '1': [{ deep: '"}' }], text: ',"metadata":{}' })
  const recorded = recordedOf(recordOf(wireEventOf(stored)), 'p.')
  expect(recorded).toEqual({ ...stored, stream: 's', revision: 7, position: 11, hash: eventHash(stored) })
})

it('an event of a version that is not known gets a type that no fold knows', () => {
  const wire = wireEventOf({ ...event(uuid), type: 'TaskCreated', version: 99 })
  expect(recordedOf(recordOf(wire).setId(), 'p.').type).toBe('TaskCreated@99')
})

it('an event that somebody else has put into a stream of ours is not guessed at', () => {
  const wire = { ...wireEventOf(event('a')), metadata: Buffer.from('{"by":"hand"}') }
  expect(() => recordedOf(recordOf(wire), 'p.')).toThrow('was not written by this program')
})

it('a server that does not say where an event is, is too old', () => {
  const record = recordOf(wireEventOf(event('a'))).setCommitPosition(`${2n ** 64n - 1n}`)
  expect(() => recordedOf(record, 'p.')).toThrow('too old')
})
