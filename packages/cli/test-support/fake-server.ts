import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Asked {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: unknown
  readonly text: string
}

export interface Reply {
  readonly status?: number
  readonly body?: unknown
  /** In place of a body: one JSON a line. */
  readonly lines?: readonly unknown[]
  /** Cuts the connection in place of an answer. */
  readonly cut?: boolean
}

export interface FakeServer {
  readonly url: string
  /** Every question so far. */
  readonly asked: readonly Asked[]
  close(): Promise<void>
}

/** An HTTP server on a free port that answers what `answer` says, and remembers what it was asked. */
export const fakeServer = async (answer: (asked: Asked) => Reply | Promise<Reply>): Promise<FakeServer> => {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString('utf8')
    const url = new URL(request.url ?? '/', 'http://localhost')
    const question: Asked = {
      method: request.method ?? '',
      path: decodeURIComponent(url.pathname),
      query: url.searchParams,
      headers: request.headers,
      body: text === '' || text.includes('}\n') ? undefined : JSON.parse(text),
      text,
    }
    asked.push(question)
    const { status = 200, body, lines, cut } = await answer(question)
    if (cut) {
      request.socket.destroy()
      return
    }
    response.writeHead(status, { 'content-type': 'application/json' })
    if (lines !== undefined) response.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    else response.end(body === undefined ? '' : JSON.stringify(body))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
