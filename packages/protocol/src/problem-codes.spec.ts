import { readFileSync, writeFileSync } from 'node:fs'
import type { RefusalCode } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { isProblemCode, problemCodes, renderErrorsPage } from './problem-codes.js'

const page = new URL('../../../docs/reference/errors.md', import.meta.url)

/** Codes that have been published: a code is never removed and never gets another status. Only add to this list. */
const published: { readonly [code: string]: number } = {
  already_exists: 409,
  unauthenticated: 401,
  rate_limited: 429,
  scope_missing: 403,
  bad_request: 400,
  body_too_large: 413,
  calendar_in_use: 409,
  calendar_unknown: 422,
  duplicate_key: 400,
  empty_body: 400,
  forbidden_key: 400,
  headers_too_large: 431,
  host_refused: 403,
  idempotency_conflict: 422,
  internal: 500,
  invalid: 422,
  invalid_body: 400,
  invalid_cursor: 400,
  invalid_header: 400,
  invalid_path: 400,
  invalid_query: 400,
  lease_lost: 409,
  malformed_json: 400,
  method_not_allowed: 405,
  name_taken: 409,
  not_found: 404,
  not_ready: 503,
  not_utf8: 400,
  not_undoable: 409,
  nothing_to_do: 409,
  origin_refused: 403,
  outcome_unknown: 503,
  position_not_reached: 409,
  preview_stale: 409,
  request_timeout: 408,
  revision_mismatch: 412,
  rolled_back: 409,
  route_not_found: 404,
  runs_in_topics: 409,
  schedule_in_use: 409,
  schedule_unknown: 422,
  storage_full: 507,
  too_deep: 400,
  too_many_changes: 422,
  too_many_keys: 400,
  too_many_operations: 413,
  too_many_streams: 503,
  unavailable: 503,
  undo_conflict: 409,
  unsafe_number: 422,
  unsupported_media_type: 415,
  uri_too_long: 414,
  webhooks_not_here: 409,
}

describe('problem codes', () => {
  it('keep their meaning', () => {
    const statuses = Object.entries(problemCodes).map(([code, { status }]) => [code, status])
    expect(Object.fromEntries(statuses)).toEqual(published)
  })

  it('have every refusal of the domain', () => {
    const refusals: { readonly [code in RefusalCode]: true } = {
      invalid: true,
      not_found: true,
      name_taken: true,
      already_exists: true,
      revision_mismatch: true,
      schedule_unknown: true,
      schedule_in_use: true,
      calendar_unknown: true,
      calendar_in_use: true,
      idempotency_conflict: true,
      nothing_to_do: true,
      not_undoable: true,
      undo_conflict: true,
    }
    expect(Object.keys(refusals).filter((code) => !isProblemCode(code))).toEqual([])
    expect(isProblemCode('toString')).toBe(false)
  })

  it('are what docs/reference/errors.md says (UPDATE_DOCS=1 writes it)', () => {
    if (process.env.UPDATE_DOCS === '1') writeFileSync(page, renderErrorsPage())
    expect(readFileSync(page, 'utf8')).toBe(renderErrorsPage())
  })
})
