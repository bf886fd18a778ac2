import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Almanac, AlmanacError, type World, work } from '@almanac/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Running, root, start, startServer } from '../server-process.js'
import { type Document, typesOf } from './types.js'

const place = `${root}packages/client`
const folder = mkdtempSync(join(tmpdir(), 'almanac-client-'))
// Below the repository, so that the packages are found.
const scripts = join(root, '.cache', `client-${process.pid}`)
let server: Running & { readonly url: string }

beforeAll(async () => {
  mkdirSync(scripts, { recursive: true })
  server = await startServer(join(folder, 'data'))
}, 90_000)
afterAll(async () => {
  server?.process.kill('SIGKILL')
  await server?.ended
  for (const each of [folder, scripts]) rmSync(each, { recursive: true, force: true })
})

const isUpdating = process.env.UPDATE_DOCS === '1'

describe('the types of the client', () => {
  it('are made from the document that is kept, which is the one that is served (UPDATE_DOCS=1 writes it)', async () => {
    const answer = await fetch(`${server.url}/openapi.json`)
    const served = (await answer.json()) as Document
    const [document, types] = [`${JSON.stringify(served, null, 1)}\n`, typesOf(served)]
    if (isUpdating) {
      writeFileSync(`${place}/openapi.json`, document)
      writeFileSync(`${place}/src/api.ts`, types)
    }
    const how = 'UPDATE_DOCS=1 npx vitest run tests/client writes it anew; look at the difference'
    expect(readFileSync(`${place}/openapi.json`, 'utf8'), how).toBe(document)
    expect(readFileSync(`${place}/src/api.ts`, 'utf8'), how).toBe(types)
  })
})

const examples = readFileSync(`${place}/README.md`, 'utf8')
  .split('\n## ')
  .slice(1)
  .flatMap((section) => {
    const code = /```ts\n([\s\S]*?)```/.exec(section)?.[1]
    return code === undefined ? [] : [[section.split('\n', 1)[0] ?? '', code] as const]
  })

describe('an example of the README runs', () => {
  it.each(examples)('%s', { timeout: 60_000 }, async (title, code) => {
    const script = join(scripts, `${title.toLowerCase().replaceAll(/\W+/g, '-')}.mjs`)
    writeFileSync(script, code)
    const run = start(script, [], { ALMANAC_URL: server.url })
    expect([await run.ended, run.output()]).toEqual([0, expect.stringMatching(/\S/)])
  })

  it('and all of them were found', () => {
    expect(examples.length).toBeGreaterThanOrEqual(4)
  })
})

async function all<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

const schedule = { interval: { every: 1, period: 'days' } } as const

/** The real server behind a way on which the test decides what gets lost. */
function over(lose: (attempt: number) => 'request' | 'answer' | 'busy' | undefined) {
  let attempt = 0
  const waited: number[] = []
  const world: Partial<World> = {
    random: () => 1,
    sleep: async (ms) => void waited.push(ms),
    fetch: async (...asked) => {
      attempt += 1
      const fate = lose(attempt)
      if (fate === 'request') throw new TypeError('fetch failed')
      if (fate === 'busy')
        return new Response('{"code":"unavailable"}', { status: 503, headers: { 'retry-after': '2' } })
      const answer = await fetch(...asked)
      if (fate === 'answer') throw new TypeError('terminated')
      return answer
    },
  }
  return {
    almanac: new Almanac({ url: server.url, namespace: 'retries' }, world),
    waited,
    attempts: () => attempt,
  }
}

describe('the client', () => {
  it('applies a write once, whatever is lost on the way', async () => {
    const { almanac, waited } = over((attempt) => (['request', 'answer', 'busy'] as const)[attempt - 1])
    const task = await almanac.createTask({ name: 'once', task: 't', schedule })
    expect((await all(almanac.history(task.id))).map(({ type }) => type)).toEqual(['TaskCreated'])
    expect(waited).toEqual([100, 200, 2_000])
  })

  it('gives up after so many attempts, and tells why', async () => {
    const { almanac, attempts } = over(() => 'request')
    const asked = almanac.taskByName('none')
    await expect(asked).rejects.toMatchObject({ code: 'no_answer', status: 0 })
    expect(attempts()).toBe(5)
  })

  it('asks once when the answer is no', async () => {
    const { almanac, attempts } = over(() => undefined)
    const wrong = almanac.createTask({ name: '', task: 't', schedule })
    await expect(wrong).rejects.toBeInstanceOf(AlmanacError)
    await expect(wrong).rejects.toMatchObject({
      status: 400,
      code: 'invalid_body',
      errors: [{ path: 'name' }],
    })
    expect(attempts()).toBe(1)
  })

  it('reads lists to their end, and decides anew when somebody was first', async () => {
    const almanac = new Almanac({ url: server.url, namespace: 'lists', actor: 'mía' })
    for (const name of ['a', 'b', 'c'])
      await almanac.createTask({ name, task: 't', schedule }, { reason: 'für den Test' })
    expect((await all(almanac.tasks({ limit: 1 }))).map(({ name }) => name)).toEqual(['a', 'b', 'c'])
    const { id } = await almanac.taskByName('a')
    let decided = 0
    const after = await almanac.updateTask(id, async ({ priority }) => {
      decided += 1
      if (decided === 1) await almanac.changeTask(id, { priority: 5 })
      return { priority: (priority ?? 0) + 1 }
    })
    expect([decided, after.priority]).toEqual([2, 6])
    const [first] = await all(almanac.history(id))
    expect([first?.actor, first?.reason]).toEqual(['mía', 'für den Test'])
    await expect(almanac.undo(id, 1)).rejects.toMatchObject({
      code: 'undo_conflict',
      errors: [{ path: 'priority' }],
    })
    expect(await almanac.undo(id, 2)).toMatchObject({ event: { undoes: 2 } })
    await almanac.deleteTask(id, { fenced: true })
    await expect(almanac.task(id)).rejects.toMatchObject({ code: 'not_found' })
  })

  it('follows changes over broken connections, without a gap and without a repeat', {
    timeout: 60_000,
  }, async () => {
    const almanac = new Almanac(
      { url: server.url, namespace: 'feed' },
      {
        // Pauses take no time; the watch for silence never ends.
        sleep: (ms) => (ms > 10_000 ? new Promise(() => {}) : Promise.resolve()),
        fetch: async (...asked) => {
          const answer = await fetch(...asked)
          const isFeed = answer.headers.get('content-type')?.startsWith('text/event-stream')
          if (isFeed !== true || answer.body === null) return answer
          // Breaks off after some bytes, wherever that is.
          let left = 1_600
          const cut = new TransformStream<Uint8Array, Uint8Array>({
            transform(piece, controller) {
              controller.enqueue(piece.slice(0, Math.max(0, left)))
              left -= piece.length
              if (left <= 0) controller.error(new TypeError('terminated'))
            },
          })
          return new Response(answer.body.pipeThrough(cut), answer)
        },
      },
    )
    const { id } = await almanac.createTask({ name: 'x', task: 't', schedule })
    for (let priority = 1; priority <= 9; priority += 1) await almanac.changeTask(id, { priority })
    const revisions = []
    for await (const change of almanac.changes({ after: 0 })) {
      revisions.push(change.revision)
      if (revisions.length === 10) break
    }
    expect(revisions).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('reports a run that failed, and gets it again while attempts are left', {
    timeout: 60_000,
  }, async () => {
    const almanac = new Almanac({ url: server.url, namespace: 'worker' })
    const { id } = await almanac.createTask({
      name: 'x',
      task: 't',
      schedule,
      queue: 'q',
      maxAttempts: 2,
      args: [1],
    })
    await almanac.triggerTask(id, { args: [2] })
    const enough = new AbortController()
    const seen: unknown[] = []
    await work(
      almanac,
      'q',
      async ({ attempt, args }) => {
        seen.push([attempt, args])
        if (attempt === 1) throw new Error('the first time')
        enough.abort()
      },
      { signal: enough.signal },
    )
    expect(seen).toEqual([
      [1, [2]],
      [2, [2]],
    ])
    const [run] = await all(almanac.runs({ task: id }))
    expect(run).toMatchObject({ status: 'succeeded', attempt: 2 })
  })
})
