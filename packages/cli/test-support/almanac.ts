import type { TaskJson } from '@almanac/protocol'
import { run } from '../src/program.js'
import { type Asked, fakeServer, type Reply } from './fake-server.js'
import { type FakeWorldOptions, fakeWorld } from './fake-world.js'

export const problem = (status: number, code: string, detail: string, errors: unknown[] = []): Reply => ({
  status,
  body: { type: `urn:almanac:problem:${code}`, title: code, status, code, detail, errors },
})

export const list = (items: readonly unknown[], total = items.length): Reply => ({
  body: { items, nextCursor: null, total },
})

/** Answers questions about these tasks as the API does. */
export const onTasks =
  (...tasks: TaskJson[]) =>
  (asked: Asked): Reply => {
    if (asked.path.endsWith('/tasks')) {
      const name = asked.query.get('name')
      return list(name === null ? tasks : tasks.filter((task) => task.name === name))
    }
    const found = tasks.find(({ id }) => asked.path.endsWith(`/tasks/${id}`))
    return found ? { body: found } : problem(404, 'not_found', 'No task of this id.')
  }

/** Runs one command line against a server that answers so, and tells what was printed and what was asked. */
export const almanac = async (
  args: readonly string[],
  answer: (asked: Asked) => Reply | Promise<Reply> = () => problem(404, 'not_found', 'no'),
  options: FakeWorldOptions = {},
) => {
  const server = await fakeServer(answer)
  try {
    const world = fakeWorld({ ...options, env: { ALMANAC_URL: server.url, ...options.env } })
    const code = await run(world, args)
    return { code, ...world.printed, written: world.written, asked: server.asked }
  } finally {
    await server.close()
  }
}
