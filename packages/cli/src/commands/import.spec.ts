import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { almanac, list, problem } from '../../test-support/almanac.js'
import type { Asked, Reply } from '../../test-support/fake-server.js'

const real = readFileSync(new URL('../../fixtures/django-celery-beat.fixture.json', import.meta.url), 'utf8')

interface Operation {
  readonly op: string
  readonly task: { readonly name: string; readonly imported?: unknown; readonly args: unknown }
  readonly idempotencyKey?: string
  readonly reason: string
}

/** The part of the API that an import needs, with real names and real idempotency. */
const store = () => {
  const names = new Map<string, string>()
  const keys = new Map<string, string>()
  const results: Operation[][] = []
  const create = ({ task, idempotencyKey }: Operation) => {
    const known = idempotencyKey === undefined ? undefined : keys.get(idempotencyKey)
    if (known !== undefined) return { op: 'create', status: 201, id: known, repeated: true }
    if (names.has(task.name))
      return { op: 'create', status: 409, id: null, problem: { code: 'name_taken', detail: 'taken' } }
    const id = `id-${names.size}-${keys.size}`
    names.set(task.name, id)
    if (idempotencyKey !== undefined) keys.set(idempotencyKey, id)
    return { op: 'create', status: 201, id }
  }
  const put = ({ task }: Operation) => ({ op: 'put', status: 200, id: names.get(task.name) ?? null })
  const answer = ({ path, method, query, body }: Asked): Reply => {
    if (method === 'GET' && path.endsWith('/tasks')) {
      const name = query.get('name')
      const found = [...names.keys()].filter((one) => name === null || one === name)
      return list(found.map((one) => ({ name: one })))
    }
    const { operations } = body as { operations: Operation[] }
    results.push(operations)
    return { body: { results: operations.map((one) => (one.op === 'create' ? create(one) : put(one))) } }
  }
  return { names, batches: results, answer }
}

const task = (pk: number, over: Record<string, unknown> = {}) => ({
  model: 'django_celery_beat.periodictask',
  pk,
  fields: { name: `task ${pk}`, task: 'app.run', interval: 1, enabled: true, one_off: false, ...over },
})
const file = (...rows: unknown[]) =>
  JSON.stringify([
    { model: 'django_celery_beat.intervalschedule', pk: 1, fields: { every: 5, period: 'minutes' } },
    ...rows,
  ])
const importing = (text: string, answer: (asked: Asked) => Reply | Promise<Reply>, ...options: string[]) =>
  almanac(['import', 'celery', 'f.json', ...options], answer, { files: { 'f.json': text } })
const totals = (out: string) => JSON.parse(out).totals

describe('import celery', () => {
  it('creates all tasks of the real fixture and tells of every row', async () => {
    const { answer, batches, names } = store()
    const { code, out } = await importing(real, answer)
    expect(code).toBe(0)
    expect(names.size).toBe(15)
    expect(
      batches.flat().every(({ op, reason }) => op === 'create' && /periodictask \d+$/.test(reason)),
    ).toBe(true)
    for (const name of names.keys()) expect(out).toContain(name)
    expect(out).toContain('nested values kept in header retry_policy')
    expect(out).toContain('its history comes along: 42 runs')
    expect(out).toMatch(/interval 3 +a value in 3 tasks +every 10 seconds/)
    expect(out).toContain('1 row left out, django_celery_beat.periodictasks: the change marker')
    expect(out).toMatch(/created +15 /)
  })

  it('makes nothing twice when it runs twice', async () => {
    const { answer, names } = store()
    await importing(real, answer)
    const { code, out } = await importing(real, answer, '--json')
    expect(code).toBe(0)
    expect(names.size).toBe(15)
    expect(totals(out)).toEqual({ tasks: 15, exists: 15 })
  })

  it('makes a task anew that was deleted since', async () => {
    const { answer, names } = store()
    await importing(real, answer)
    names.delete('New year')
    const { out } = await importing(real, answer, '--json')
    expect(totals(out)).toEqual({ tasks: 15, exists: 14, created: 1 })
    expect(names.has('New year')).toBe(true)
  })

  it('leaves names that are taken alone, replaces them, or refuses everything', async () => {
    const text = file(task(1), task(2))
    const skip = store()
    skip.names.set('task 1', 'mine')
    expect(totals((await importing(text, skip.answer, '--json')).out)).toEqual({
      tasks: 2,
      exists: 1,
      created: 1,
    })

    const replace = store()
    replace.names.set('task 1', 'mine')
    const replaced = await importing(text, replace.answer, '--json', '--on-conflict', 'replace')
    expect(totals(replaced.out)).toEqual({ tasks: 2, replaced: 1, created: 1 })
    const [put] = replace.batches.flat().filter(({ op }) => op === 'put')
    expect(put?.task.imported).toBeUndefined()

    const fail = store()
    fail.names.set('task 1', 'mine')
    const failed = await importing(text, fail.answer, '--on-conflict', 'fail')
    expect(failed.code).toBe(1)
    expect(failed.err).toContain('1 task of the file exist already, such as "task 1". Nothing was imported.')
    expect(fail.batches).toEqual([])
  })

  it('replaces a task that this file made and that was changed since', async () => {
    const { answer, batches } = store()
    await importing(file(task(1)), answer)
    const { out } = await importing(file(task(1)), answer, '--json', '--on-conflict', 'replace')
    expect(totals(out)).toEqual({ tasks: 1, replaced: 1 })
    expect(batches.at(-1)?.[0]?.op).toBe('put')
  })

  it('refuses rows alone, with the reasons, and ends with 1', async () => {
    const { answer, names } = store()
    const { code, out, err } = await importing(file(task(1), task(2, { args: 'x' }), task(3)), answer)
    expect(code).toBe(1)
    expect([...names.keys()]).toEqual(['task 1', 'task 3'])
    expect(out).toContain('× args: args is not JSON: x')
    expect(err).toContain('1 task of 3 refused')
  })

  it('shows what the server refuses', async () => {
    const errors = [{ path: 'schedule', code: 'x', message: 'is not to its taste' }]
    const { code, out } = await importing(file(task(1)), () => ({
      body: {
        results: [
          { op: 'create', status: 422, id: null, problem: { code: 'invalid', detail: 'No.', errors } },
        ],
      },
    }))
    expect(code).toBe(1)
    expect(out).toContain('× schedule: is not to its taste')
  })

  it('sends at most 500 at once, each row once, and 1 200 rows in order', async () => {
    const { answer, batches, names } = store()
    const rows = Array.from({ length: 1200 }, (_, index) => task(index + 1))
    const { out } = await importing(file(...rows), answer, '--json')
    expect(batches.map(({ length }) => length)).toEqual([500, 500, 200])
    expect(names.size).toBe(1200)
    expect(JSON.parse(out).tasks.map(({ pk }: { pk: string }) => pk)).toEqual(
      rows.map(({ pk }) => String(pk)),
    )
  })

  it('keeps requests below the size that the server takes', async () => {
    const sizes: number[] = []
    const { answer } = store()
    const args = JSON.stringify(['x'.repeat(60_000)])
    const rows = Array.from({ length: 120 }, (_, index) => task(index + 1, { args }))
    const { out } = await importing(
      file(...rows),
      (asked) => {
        sizes.push(JSON.stringify(asked.body ?? '').length)
        return answer(asked)
      },
      '--json',
    )
    expect(totals(out)).toEqual({ tasks: 120, created: 120 })
    expect(sizes.length).toBeGreaterThan(1)
    expect(Math.max(...sizes)).toBeLessThan(4 * 1024 * 1024)
  })

  it('asks again when the server goes away in the middle, and makes nothing twice', async () => {
    const { answer, names } = store()
    let asks = 0
    const { code, out } = await importing(
      file(task(1), task(2)),
      (asked) => {
        asks++
        // Done, but the answer is lost: the worst moment.
        const reply = answer(asked)
        return asks === 1 ? { cut: true } : asks === 2 ? problem(503, 'not_ready', 'Starting.') : reply
      },
      '--json',
    )
    expect(code).toBe(0)
    expect(names.size).toBe(2)
    expect(totals(out)).toEqual({ tasks: 2, exists: 2 })
  })

  it('ends with 3 and tells what was not sent when the server stays away', async () => {
    const { code, out, err } = await importing(
      file(task(1), task(2, { args: 'x' })),
      () => ({ cut: true }),
      '--json',
    )
    expect(code).toBe(3)
    expect(totals(out)).toEqual({ tasks: 2, unsent: 1, refused: 1 })
    expect(JSON.parse(err).error.hint).toContain('Run the same command again')
  })

  it('rehearses with --dry-run: sends nothing, tells what exists', async () => {
    const { answer, names, batches } = store()
    names.set('task 1', 'mine')
    const rehearsed = await importing(
      file(task(1), task(2), task(3, { args: 'x' })),
      answer,
      '--dry-run',
      '--json',
    )
    expect(rehearsed.code).toBe(1)
    expect(totals(rehearsed.out)).toEqual({ tasks: 3, exists: 1, new: 1, refused: 1 })
    expect(batches).toEqual([])
    const alone = await importing(file(task(1)), () => ({ cut: true }), '--dry-run', '--json')
    expect(alone.code).toBe(0)
    expect(totals(alone.out)).toEqual({ tasks: 1, new: 1 })
  })

  it('tells of a file that is not there or no fixture', async () => {
    const missing = await almanac(['import', 'celery', 'no.json'])
    expect(missing).toMatchObject({ code: 1, err: 'error There is no file no.json.\n' })
    expect((await importing('{}', store().answer)).code).toBe(1)
    expect((await importing('[]', store().answer, '--json')).out).toContain('"tasks": 0')
  })
})
