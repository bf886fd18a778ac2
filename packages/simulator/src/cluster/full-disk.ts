import { storageFull, unavailable, type ViewBatch, type ViewStore } from '@almanac/engine'
import type { DiskState } from '../world/index.js'

/** The views on a disk that may be full or fail: nothing of a batch is stored then. Reads go on. */
export function onDisk(views: ViewStore, disk: DiskState, draw: () => number): ViewStore {
  const apply = (batch: ViewBatch): void => {
    if (disk.isFull) throw storageFull('the disk is full')
    if (disk.errorRate > 0 && draw() < disk.errorRate) throw unavailable('the disk failed')
    views.apply(batch)
  }
  return Object.assign(Object.create(views) as ViewStore, { apply })
}
