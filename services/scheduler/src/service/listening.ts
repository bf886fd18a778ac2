import type { AddressInfo } from 'node:net'
import type { Api } from '@almanac/api'
import { StartProblem } from './start-problem.js'

interface Address {
  readonly host: string
  readonly port: number
  /** Environment variables that say so, for the words of a problem. */
  readonly hostName?: string
  readonly portName?: string
}

/** Listens, and answers the URL. Throws `StartProblem` when the address can't be had. */
export async function listen(api: Pick<Api, 'listen' | 'server'>, address: Address): Promise<string> {
  const { host, port, hostName = 'ALMANAC_HOST', portName = 'ALMANAC_PORT' } = address
  try {
    await api.listen({ host, port })
  } catch (error) {
    const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EADDRINUSE') {
      const flag = portName.replace('ALMANAC_', '--').toLowerCase().replaceAll('_', '-')
      const way = `set ${portName} (or ${flag}) to another one.`
      throw new StartProblem(`Port ${port} of ${host} is in use: ${way}`, error)
    }
    if (code === 'EACCES') {
      throw new StartProblem(
        `Port ${port} may not be used by this user: set ${portName} to one above 1023.`,
        error,
      )
    }
    throw new StartProblem(`${host} cannot be listened on (${hostName}): ${messageOf(error)}`, error)
  }
  const bound = api.server.address() as AddressInfo
  return `http://${host === '::1' ? '[::1]' : host}:${bound.port}`
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
