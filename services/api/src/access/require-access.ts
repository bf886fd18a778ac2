import type { FastifyRequest } from 'fastify'
import type { Api } from '../host.js'
import { toProblem } from '../problem.js'
import type { Access } from './access.js'
import { admit, type Principal } from './principal.js'

/** The documents that a plugin serves under this path are the same for everybody. */
const docs = /^\/docs(\/|$)/

/**
 * Every route that is registered after it has to say which scope it needs, and who asks has to have it. Nothing else of
 * a request is looked at before.
 */
export function requireAccess(api: Api, access: Access): void {
  api.decorateRequest('principal', null)
  api.addHook('onRoute', ({ config, method, url }) => {
    if (config?.scope === undefined && !docs.test(url)) {
      throw new Error(`${String(method)} ${url} does not say which scope it needs`)
    }
  })
  api.addHook('onRequest', (request, reply, done) => {
    const { scope = 'public' } = request.routeOptions.config
    if (scope === 'public') return done()
    const enter = (principal: Principal) => {
      admit(principal, scope, namespaceOf(request))
      request.principal = principal
    }
    const refuse = (error: unknown) => {
      const problem = toProblem(error)
      if (problem.code === 'unauthenticated') reply.header('www-authenticate', 'Bearer realm="almanac"')
      done(problem)
    }
    try {
      const found = access.identify(request.headers.authorization)
      if (found instanceof Promise) return void found.then(enter).then(() => done(), refuse)
      enter(found)
    } catch (error) {
      return refuse(error)
    }
    done()
  })
}

const namespaceOf = ({ params }: FastifyRequest): string | undefined =>
  (params as { readonly namespace?: string } | undefined)?.namespace
