import { grants, type Scope } from '@almanac/domain'
import type { FastifyRequest } from 'fastify'
import { ApiProblem } from '../problem.js'

/** Who asks, and what for he may. */
export interface Principal {
  /** Of the credential, to count by; null: there is none. */
  readonly id: string | null
  /** For histories and access logs. */
  readonly actor: string
  /** The namespaces that it opens; null: all. */
  readonly namespaces: readonly string[] | null
  readonly scopes: readonly Scope[]
  /** True while what it has shown is still good: asked again by answers that go on for long. */
  isLive(): boolean
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What who asks has to be granted; `public`: nothing. A route that does not say can not be registered. */
    readonly scope?: Scope | 'public'
  }
  interface FastifyRequest {
    /** Null: nobody has been asked, or the route is public. */
    principal: Principal | null
  }
}

export const mayEnter = ({ namespaces }: Principal, namespace: string): boolean =>
  namespaces === null || namespaces.includes(namespace)

/** Who asks on a route that has a scope. */
export function principalOf(request: FastifyRequest): Principal {
  if (request.principal === null) throw new Error(`${request.url} is public, and asks who asks`)
  return request.principal
}

/** Throws what a request is answered with that is not allowed: by what it is for, then by what it does. */
export function admit(principal: Principal, scope: Scope, namespace: string | undefined): void {
  // As if nothing were there: what exists in other namespaces is not told.
  if (namespace !== undefined && !mayEnter(principal, namespace)) throw new ApiProblem('not_found')
  if (grants(principal.scopes, scope)) return
  throw new ApiProblem('scope_missing', `This needs the scope ${scope}.`, [
    { path: 'Authorization', code: 'scope_missing', message: `has no scope ${scope}` },
  ])
}
