import { PortFault } from '@almanac/engine'

/** A topic can't be had, by all that is known, however often it is tried. */
export class TopicRefused extends PortFault {
  constructor(message: string, cause?: unknown) {
    super('unavailable', message, false, cause)
  }
}
