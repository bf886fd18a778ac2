/**
 * Every error code that Almanac answers with. A code, once published, keeps its meaning for ever: it is never
 * reused and never removed, since scripts branch on it. `docs/reference/errors.md` is generated from this table.
 */

export interface ProblemKind {
  /** HTTP status it is answered with. */
  readonly status: number
  /** The same for every problem of this code. */
  readonly title: string
  /** When it happens, and what to do. */
  readonly description: string
}

export const problemCodes = {
  empty_body: {
    status: 400,
    title: 'The body is empty',
    description: 'This request needs a JSON body. Send one with `Content-Type: application/json`.',
  },
  malformed_json: {
    status: 400,
    title: 'The body is not JSON',
    description: 'The body does not parse as JSON, or has text after its end. The detail tells where.',
  },
  not_utf8: {
    status: 400,
    title: 'The body is not valid UTF-8',
    description: 'JSON must be sent as UTF-8. Lone surrogates (`"\\ud800"`) are refused for the same reason.',
  },
  duplicate_key: {
    status: 400,
    title: 'An object has one key twice',
    description: 'Which of the two would count is anybody’s guess, so neither does. The path names the key.',
  },
  forbidden_key: {
    status: 400,
    title: 'An object has a forbidden key',
    description: 'The keys `__proto__` and `constructor` with `prototype` inside are refused at any depth.',
  },
  too_deep: {
    status: 400,
    title: 'The body is nested too deep',
    description: 'JSON may be nested 32 levels deep.',
  },
  too_many_keys: {
    status: 400,
    title: 'An object has too many keys',
    description: 'One object may have 1 000 keys.',
  },
  invalid_body: {
    status: 400,
    title: 'The body has the wrong shape',
    description:
      'A field is missing, unknown, read-only, or of the wrong type. Nothing is coerced and nothing ' +
      'is dropped. `errors` names each field.',
  },
  invalid_query: {
    status: 400,
    title: 'The query string is wrong',
    description: 'A query parameter is unknown, given twice, or malformed. `errors` names each.',
  },
  invalid_path: {
    status: 400,
    title: 'The path is wrong',
    description:
      'The path has bad percent encoding, or a part with a form that it can never have. A namespace ' +
      'is 1 to 63 of `a-z`, `0-9`, `-`, not starting with `-`.',
  },
  invalid_header: {
    status: 400,
    title: 'A request header is wrong',
    description:
      'One of `If-Match`, `If-None-Match`, `Idempotency-Key` (1 to 200 visible ASCII characters), ' +
      '`Almanac-Actor`, `Almanac-Reason`, `Last-Event-ID` is malformed.',
  },
  invalid_cursor: {
    status: 400,
    title: 'The cursor is not one of this list',
    description:
      'A cursor goes with the namespace and the filters it was given out for. Start at the first page.',
  },
  bad_request: {
    status: 400,
    title: 'The request is not HTTP as it should be',
    description: 'The request line, the headers or the framing of the body could not be read.',
  },
  unauthenticated: {
    status: 401,
    title: 'Show who you are',
    description:
      'This needs a credential, and the one that was sent, if any, is unknown, expired or revoked. Send ' +
      '`Authorization: Bearer` with an API key or a token.',
  },
  scope_missing: {
    status: 403,
    title: 'Your credential is not good for this',
    description:
      'The detail names the scope that is missing. A key has the scopes that it was made with; ask for another one.',
  },
  host_refused: {
    status: 403,
    title: 'The Host header is not an address of this server',
    description:
      'On loopback only `localhost`, `127.0.0.1` and `[::1]` are answered, so that no web page can ' +
      'reach Almanac through a name of its own.',
  },
  origin_refused: {
    status: 403,
    title: 'The Origin header is foreign',
    description: 'Requests that a browser sends on behalf of another site are refused.',
  },
  not_found: {
    status: 404,
    title: 'There is no such thing',
    description: 'No task, schedule, calendar or run of that id or name in this namespace.',
  },
  route_not_found: {
    status: 404,
    title: 'There is no such route',
    description: 'The API has nothing at this path. See `/docs`.',
  },
  method_not_allowed: {
    status: 405,
    title: 'The route does not know this method',
    description: 'The `Allow` header lists those that it knows.',
  },
  request_timeout: {
    status: 408,
    title: 'The request took too long to arrive',
    description: 'Headers must be complete within 10 s, the whole request within 15 s.',
  },
  name_taken: {
    status: 409,
    title: 'The name is taken',
    description:
      'Another task of the namespace has this name. Names are compared after Unicode normalisation (NFC).',
  },
  already_exists: {
    status: 409,
    title: 'It exists already',
    description:
      'A schedule or calendar of this name exists in the namespace, or a key that can still be used has it.',
  },
  schedule_in_use: {
    status: 409,
    title: 'Tasks use this schedule',
    description: 'Delete or change them first, or delete with `?cascade=true`, which deletes them too.',
  },
  calendar_in_use: {
    status: 409,
    title: 'The calendar is in use',
    description: 'Schedules or tasks refer to this calendar. Change them first.',
  },
  nothing_to_do: {
    status: 409,
    title: 'There is nothing to do',
    description:
      'The command would change nothing and cannot be answered with a result, as a backfill of no ' +
      'occurrence.',
  },
  undo_conflict: {
    status: 409,
    title: 'It was changed again since',
    description:
      'Fields that the change set were changed again by a later one; `errors` names them. Undo that first, set the ' +
      'fields yourself, or send `"force": true` to overwrite them.',
  },
  not_undoable: {
    status: 409,
    title: 'This cannot be undone',
    description:
      'The event is no change of a specification (what ran has run, and counts stay reset), or the scheduler ' +
      'found it out by itself, or what it changed is deleted by now. The detail tells which.',
  },
  runs_in_topics: {
    status: 409,
    title: 'Workers take runs from Kafka here',
    description:
      'This node belongs to a cluster: runs are in the topics of their queues, and workers report on the topic of ' +
      'run events. docs/reference/kafka-messages.md tells how.',
  },
  lease_lost: {
    status: 409,
    title: 'The lease is no longer yours',
    description:
      'The lease lapsed and the run was handed out again, or the run is finished. Drop what you have; ' +
      'the other worker reports it.',
  },
  webhooks_not_here: {
    status: 409,
    title: 'This server has no webhooks',
    description:
      'A node of a cluster has webhooks when all nodes are given the same key that secrets are made with ' +
      '(`ALMANAC_WEBHOOK_KEY_FILE`). Changes are also in the feed of events.',
  },
  position_not_reached: {
    status: 409,
    title: 'The read model has not got so far',
    description:
      'The position asked for with `minPosition` or `asOf` was not reached within 2 s. Ask again; if ' +
      'the position came from this cluster it will come.',
  },
  revision_mismatch: {
    status: 412,
    title: 'It changed since you looked',
    description: 'The revision in `If-Match` is not the current one. Read again, and decide again.',
  },
  body_too_large: {
    status: 413,
    title: 'The body is too large',
    description: 'A body may have 256 KiB, that of `POST /tasks/bulk` 4 MiB.',
  },
  too_many_operations: {
    status: 413,
    title: 'Too many operations in one request',
    description: 'A bulk request may have 500 operations. Nothing of it was done.',
  },
  uri_too_long: {
    status: 414,
    title: 'The address is too long',
    description: 'Path and query together may have 4 096 characters.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'The body is not application/json in UTF-8',
    description:
      'Bodies are `application/json`, with PATCH also `application/merge-patch+json`; the charset, if ' +
      'named, is utf-8; no Content-Encoding.',
  },
  invalid: {
    status: 422,
    title: 'A rule forbids it',
    description:
      'The request is well formed, but a value breaks a rule. `errors` names field and rule. Nothing ' +
      'was changed.',
  },
  rolled_back: {
    status: 409,
    title: 'Another operation of the request was refused',
    description:
      'With `atomic` all operations are done or none: one of the request was refused, so this one was taken back or ' +
      'not tried. The refused one has the reason.',
  },
  preview_stale: {
    status: 409,
    title: 'The token is of another preview',
    description:
      'Filter, operation and changes must be exactly those of the preview that gave the token out. Nothing was done. ' +
      'Ask for a preview again.',
  },
  too_many_changes: {
    status: 422,
    title: 'Too many changes to take back at once',
    description:
      'A request can be taken back as a whole while it made 10 000 changes at most. Nothing was done. Take its ' +
      'events back one by one.',
  },
  unsafe_number: {
    status: 422,
    title: 'A number cannot be kept exactly',
    description:
      'An integer beyond ±9007199254740991 would arrive at the worker as another number. Send it as a ' +
      'string.',
  },
  schedule_unknown: {
    status: 422,
    title: 'There is no such shared schedule',
    description: 'The task refers to a schedule that the namespace does not have.',
  },
  calendar_unknown: {
    status: 422,
    title: 'There is no such calendar',
    description: 'The schedule refers to a calendar that the namespace does not have.',
  },
  idempotency_conflict: {
    status: 422,
    title: 'The idempotency key was used for something else',
    description: 'A key stands for one request. Use a new one for a new request.',
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    description:
      'Your credential, or all of them in this namespace together, ask more often than they may. Nothing was done. ' +
      'Ask again after `Retry-After` seconds.',
  },
  headers_too_large: {
    status: 431,
    title: 'The request headers are too large',
    description: 'All headers together may have 16 KiB.',
  },
  internal: {
    status: 500,
    title: 'Almanac made a mistake',
    description: 'Please report it, with the time and what you asked. The server log has more.',
  },
  unavailable: {
    status: 503,
    title: 'Storage cannot be reached now',
    description: 'Nothing was changed. Ask again after `Retry-After` seconds.',
  },
  outcome_unknown: {
    status: 503,
    title: 'It may or may not have happened',
    description:
      'The connection to storage broke in the middle. Repeat the request with the same ' +
      '`Idempotency-Key`; it is applied once.',
  },
  not_ready: {
    status: 503,
    title: 'The node is not ready',
    description: 'It is starting, rebuilding its read models, or stopping. `/readyz` tells which.',
  },
  too_many_streams: {
    status: 503,
    title: 'Too many open event streams',
    description: 'A node serves 256 event streams at once.',
  },
  storage_full: {
    status: 507,
    title: 'The disk is full',
    description:
      'Nothing was changed. Reads and scheduling state are intact; writes work again when there is space.',
  },
} as const satisfies { readonly [code: string]: ProblemKind }

export type ProblemCode = keyof typeof problemCodes

export const isProblemCode = (text: string): text is ProblemCode => Object.hasOwn(problemCodes, text)

/** The reference page of all codes, in Markdown. */
export function renderErrorsPage(): string {
  const head = [
    '# Errors',
    '',
    '<!-- Made from packages/protocol/src/problem-codes.ts by `UPDATE_DOCS=1 npx vitest run ' +
      'problem-codes`. -->',
    '',
    'Errors are `application/problem+json` ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)):',
    '`{ type, title, status, code, detail, errors: [{ path, code, message }] }`. Branch on `code`: a ' +
      'code keeps its',
    'meaning for ever. `path` is that of the field in the body (`schedule.crontab.hour`, `args[0]`), ' +
      'or the name of',
    'the parameter or header.',
    '',
    '| code | status | title | when, and what to do |',
    '|---|---|---|---|',
  ]
  const rows = Object.entries(problemCodes).map(
    ([code, { status, title, description }]) => `| \`${code}\` | ${status} | ${title} | ${description} |`,
  )
  return `${[...head, ...rows].join('\n')}\n`
}
