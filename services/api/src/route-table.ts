import type { Api } from './host.js'

interface Route {
  readonly pattern: RegExp
  readonly url: string
  readonly methods: Set<string>
}

/** Remembers every route that is registered after it, to tell an unknown path from an unknown method. */
export class RouteTable {
  private readonly routes = new Map<string, Route>()

  constructor(api: Api) {
    api.addHook('onRoute', ({ url, method }) => {
      const route = this.routes.get(url) ?? { url, pattern: patternOf(url), methods: new Set<string>() }
      this.routes.set(url, route)
      for (const name of [method].flat()) route.methods.add(name)
    })
  }

  /** The methods that a path knows; empty when nothing is there. */
  allowed(path: string): readonly string[] {
    const methods = [...this.routes.values()].flatMap(({ pattern, methods }) =>
      pattern.test(path) ? [...methods] : [],
    )
    return [...new Set(methods)].sort()
  }

  all(): readonly { readonly url: string; readonly methods: readonly string[] }[] {
    return [...this.routes.values()].map(({ url, methods }) => ({ url, methods: [...methods] }))
  }
}

const patternOf = (url: string): RegExp => {
  const parts = url.split('/').map((part) => {
    if (part.startsWith(':')) return '[^/]+'
    return part === '*' ? '.*' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  })
  return new RegExp(`^${parts.join('/')}$`)
}
