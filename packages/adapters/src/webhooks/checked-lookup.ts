import { lookup as systemLookup } from 'node:dns/promises'
import type { LookupFunction } from 'node:net'
import type { Targets } from './targets.js'

/** The addresses of a host, by whatever the machine asks for them. */
export type Resolve = (
  host: string,
) => Promise<readonly { readonly address: string; readonly family: number }[]>

export const systemResolve: Resolve = (host) => systemLookup(host, { all: true })

/** A connection would have led to where none may. */
export class TargetRefused extends Error {
  readonly code = 'TARGET_REFUSED'
}

/**
 * Looks a host up for one connection, which is then made to one of these very addresses: a name that changes between
 * the check and the connection changes nothing. One address that may not be called is enough to refuse all.
 */
export function checkedLookup(targets: Targets, port: number, resolve: Resolve): LookupFunction {
  return (host, { all }, callback) => {
    const found = async () => {
      const addresses = await resolve(host)
      for (const { address } of addresses) {
        const problem = targets.problemAt(host, port, address)
        if (problem !== undefined) throw new TargetRefused(problem)
      }
      const [first] = addresses
      if (first === undefined) throw new TargetRefused(`${host} has no address`)
      return { addresses: [...addresses], first }
    }
    found().then(
      ({ addresses, first }) =>
        all === true ? callback(null, addresses) : callback(null, first.address, first.family),
      (error: unknown) => callback(error as NodeJS.ErrnoException, all === true ? [] : ''),
    )
  }
}
