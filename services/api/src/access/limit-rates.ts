import type { FastifyRequest } from 'fastify'
import type { Api } from '../host.js'
import { ApiProblem, toProblem } from '../problem.js'
import type { RateOptions } from './rate-options.js'

/**
 * Requests that come too often are answered 429 before anything of them is looked at. Who asks an open server without a
 * credential is not counted: there is nobody to count for.
 */
export function limitRates(api: Api, rates: RateOptions): void {
  api.addHook('onRequest', (request, reply, done) => {
    const found = waitFor(request, rates)
    if (found === 0) return done()
    const answer = (ms: number) => {
      if (ms === 0) return done()
      reply.header('retry-after', String(Math.max(1, Math.ceil(ms / 1_000))))
      done(new ApiProblem('rate_limited', `Ask again in ${Math.ceil(ms)} ms.`))
    }
    if (typeof found === 'number') return answer(found)
    found.then(answer, (error: unknown) => done(toProblem(error)))
  })
}

function waitFor(request: FastifyRequest, rates: RateOptions): number | Promise<number> {
  const { principal } = request
  if (principal === null || principal.id === null) return 0
  const { limiter, perCaller, perNamespace } = rates
  const { namespace } = request.params as { readonly namespace?: string }
  const ofNamespace = () =>
    perNamespace === null || namespace === undefined
      ? 0
      : limiter.take(`namespace|${namespace}`, perNamespace)
  if (perCaller === null) return ofNamespace()
  const ofCaller = limiter.take(`caller|${principal.id}`, perCaller)
  if (typeof ofCaller === 'number') return ofCaller > 0 ? ofCaller : ofNamespace()
  return ofCaller.then((ms) => (ms > 0 ? ms : ofNamespace()))
}
