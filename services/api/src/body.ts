import { parseStrictJson } from '@almanac/protocol'
import type { FastifyRequest } from 'fastify'
import type { Api } from './host.js'
import { ApiProblem } from './problem.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route works without a body too. */
    readonly bodyOptional?: boolean
    /** Takes lines of JSON (`application/x-ndjson`) and nothing else. */
    readonly isStream?: boolean
  }
}

export const bodyLimit = 256 * 1024
export const bulkBodyLimit = 4 * 1024 * 1024

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** JSON in UTF-8 is the only body there is. */
export function acceptJsonOnly(api: Api): void {
  api.removeAllContentTypeParsers()
  const parse = async (request: FastifyRequest, body: Buffer) => parseBody(request, body)
  api.addContentTypeParser('application/json', { parseAs: 'buffer' }, parse)
  api.addContentTypeParser('application/merge-patch+json', { parseAs: 'buffer' }, parse)
  // Read line by line by its handler, as it comes.
  api.addContentTypeParser('application/x-ndjson', (request, payload, done) => {
    if (request.routeOptions.config.isStream === true) done(null, payload)
    else done(new ApiProblem('unsupported_media_type'))
  })
  api.addHook('preValidation', (request, _, done) => {
    if (request.body !== undefined || request.routeOptions.schema?.body === undefined) done()
    else if (request.routeOptions.config.bodyOptional === true) {
      request.body = {}
      done()
    } else done(new ApiProblem('empty_body'))
  })
}

function parseBody(request: FastifyRequest, body: Buffer): unknown {
  const type = request.headers['content-type'] ?? ''
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)"?/i.exec(type)?.[1]
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
    throw new ApiProblem('unsupported_media_type', 'The charset must be utf-8.')
  }
  if (request.method !== 'PATCH' && /^\s*application\/merge-patch\+json/i.test(type)) {
    throw new ApiProblem('unsupported_media_type', 'A merge patch goes with PATCH.')
  }
  if (body.length === 0 && request.routeOptions.config.bodyOptional === true) return undefined
  let text: string
  try {
    text = utf8.decode(body)
  } catch {
    throw new ApiProblem('not_utf8')
  }
  return strictJson(text, 'The body')
}

/** `what` is told in an error that concerns all of it. */
export function strictJson(text: string, what: string): unknown {
  const parsed = parseStrictJson(text)
  if (parsed.ok) return parsed.value
  const { code, path, message } = parsed.fault
  throw new ApiProblem(code, `${path === '' ? what : path} ${message}`, [{ path, code, message }])
}
