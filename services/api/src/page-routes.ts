import { readFileSync } from 'node:fs'
import type { Api } from './host.js'

const files = [
  { url: '/', file: 'index.html', type: 'text/html; charset=utf-8' },
  { url: '/page.js', file: 'page.js', type: 'text/javascript; charset=utf-8' },
  { url: '/page.css', file: 'page.css', type: 'text/css; charset=utf-8' },
] as const

/** The status page. Its files are read once, from the source folder also when this runs compiled. */
export function pageRoutes(api: Api): void {
  for (const { url, file, type } of files) {
    const content = readFileSync(new URL(`../src/page/${file}`, import.meta.url))
    api.route({
      method: 'GET',
      url,
      config: { scope: 'public' },
      schema: { hide: true },
      handler: async (_, reply) => reply.header('content-type', type).send(content),
    })
  }
}
