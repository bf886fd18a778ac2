import { storageFull, type ViewBatch, type ViewStore } from '@almanac/engine'

/** The views on a disk that may be full: nothing of a batch is stored then. Reads go on. */
export function onDisk(views: ViewStore, isFull: () => boolean): ViewStore {
  const apply = (batch: ViewBatch): void => {
    if (isFull()) throw storageFull('the disk is full')
    views.apply(batch)
  }
  return Object.assign(Object.create(views) as ViewStore, { apply })
}
