import type { JsonResult } from '@almanac/protocol'

/**
 * Parses JSON by the rules of the HTTP API. Loaded only when there is JSON to read: the protocol's schemas take longer
 * to load than most commands take to run.
 */
export const readStrictJson = async (text: string): Promise<JsonResult> =>
  (await import('@almanac/protocol')).parseStrictJson(text)
