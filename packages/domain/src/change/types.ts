import type { Instant } from '@almanac/recurrence'
import type { Position } from '../event.js'

/** Appended to the `cluster` stream when somebody announces a bulk change that Almanac did not see. */
export type ClusterEvent = { readonly type: 'ChangeAnnounced'; readonly data: { readonly note: string } }

/** The last change of any task or schedule of a namespace: derived from the log, written by nobody. */
export interface Marker {
  readonly position: Position
  readonly at: Instant
}
