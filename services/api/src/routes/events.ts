import type { ServerResponse } from 'node:http'
import type { FeedFilter } from '@almanac/engine'
import { ChangesQuery, feedEventJson } from '@almanac/protocol'
import { type Principal, principalOf } from '../access/principal.js'
import { type Api, type Host, namespacePath } from '../host.js'
import { ApiProblem } from '../problem.js'
import { lastEventId } from '../request-context.js'
import { inNamespace } from './answers.js'

const maxStreams = 256
const heartbeatMs = 15_000
const waitSliceMs = 1_000
const pageSize = 500

/** The change feed: server-sent events whose id is the position, so that a reader resumes where it was. */
export function eventRoutes(api: Api, host: Host): void {
  const open = new Set<Feed>()
  api.addHook('preClose', async () => {
    for (const feed of open) feed.end()
  })

  api.route({
    method: 'GET',
    url: `${namespacePath}/events`,
    config: { scope: 'audit:read' },
    exposeHeadRoute: false,
    schema: {
      tags: ['changes'],
      summary: 'Every change as it happens (server-sent events)',
      description:
        'Each event has its position as `id`, its type as `event` and its JSON as `data`. Resume with ' +
        '`?after=` or `Last-Event-ID`. At the start, and every 15 s while there is nothing to tell, comes an ' +
        '`id` without data: how far the feed is. `kind` and `task` choose what is told; positions go on over ' +
        'what is left out.',
      params: inNamespace({}),
      querystring: ChangesQuery,
    },
    handler: async (request, reply) => {
      const after = lastEventId(request) ?? request.query.after ?? host.app.queries.position()
      if (host.closing()) throw new ApiProblem('not_ready')
      if (open.size >= maxStreams) throw new ApiProblem('too_many_streams')
      reply.hijack()
      for (const [name, value] of Object.entries(reply.getHeaders())) {
        if (value !== undefined) reply.raw.setHeader(name, value)
      }
      const { kind, task } = request.query
      const filter = {
        ...(kind === undefined ? {} : { kinds: kind }),
        ...(task === undefined ? {} : { taskId: task }),
      }
      const { namespace } = request.params
      const feed = new Feed(host, reply.raw, { namespace, filter, after, reader: principalOf(request) })
      open.add(feed)
      await feed.run().finally(() => open.delete(feed))
    },
  })
}

interface Asked {
  readonly namespace: string
  readonly filter: FeedFilter
  readonly after: number
  readonly reader: Pick<Principal, 'isLive'>
}

/** One reader. Reads no further ahead than the reader takes. */
class Feed {
  private ended = false
  private lastWrite: number
  private readonly host: Host
  private readonly response: ServerResponse
  private readonly asked: Asked
  private position: number

  constructor(host: Host, response: ServerResponse, asked: Asked) {
    this.host = host
    this.response = response
    this.asked = asked
    this.position = asked.after
    this.lastWrite = host.clock.elapsed()
    response.on('close', () => {
      this.ended = true
    })
    response.on('error', () => {
      this.ended = true
    })
  }

  /** Never rejects: a fault ends the stream, and the reader comes back with its last id. */
  async run(): Promise<void> {
    this.response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'x-accel-buffering': 'no',
    })
    try {
      // With its place, so that who loses the connection before the first event goes on from here.
      await this.write(`retry: 2000\nid: ${this.position}\n\n`)
      while (!this.ended && this.asked.reader.isLive()) await this.step()
      this.end()
    } catch {
      this.end()
    }
  }

  end(): void {
    this.ended = true
    this.response.end()
  }

  private async step(): Promise<void> {
    const { queries } = this.host.app
    const { namespace, filter } = this.asked
    const { events, position } = await queries.changes(namespace, this.position, pageSize, filter)
    for (const event of events) {
      const json = JSON.stringify(feedEventJson(event))
      await this.write(`id: ${event.position}\nevent: ${event.type}\ndata: ${json}\n\n`)
    }
    const moved = position > this.position
    if (moved) this.position = position
    if (moved || events.length > 0 || this.ended) return
    await queries.waitFor(this.position + 1, waitSliceMs)
    if (this.host.clock.elapsed() - this.lastWrite < heartbeatMs) return
    await this.write(`: still here\nid: ${this.position}\n\n`)
  }

  private async write(text: string): Promise<void> {
    if (this.ended) return
    this.lastWrite = this.host.clock.elapsed()
    if (this.response.write(text)) return
    await new Promise<void>((resolve) => {
      const done = () => {
        this.response.off('drain', done)
        this.response.off('close', done)
        resolve()
      }
      this.response.on('drain', done)
      this.response.on('close', done)
    })
  }
}
