import { statSync } from 'node:fs'
import { rankedOwners } from '@almanac/domain'
import { afterEach, expect, it } from 'vitest'
import { TestCluster } from './nodes.fixture.js'

let cluster: TestCluster
afterEach(() => cluster.close())

const everySecond = { interval: { every: 1, period: 'seconds' } }
const shortLease = { 'lease-ttl-seconds': '4' }

const memberOf = (nodeId: string) => ({
  nodeId,
  instance: '',
  region: '',
  weight: 1,
  engineVersion: '',
  tzVersion: '',
})

/** What placement says for these nodes: the only partitions that a change of nodes may move are those that differ. */
const placed = (...nodes: string[]) =>
  Array.from(
    { length: 16 },
    (_, partition) => rankedOwners(partition, nodes.map(memberOf))[0]?.nodeId ?? null,
  )

const settled = (node: string, expected: readonly (string | null)[]) =>
  cluster.until(`${node} to see ${expected}`, async () => {
    const owners = await cluster.owners(node)
    return JSON.stringify(owners) === JSON.stringify(expected) ? owners : undefined
  })

const termsOf = async (node: string) => (await cluster.status(node)).partitions.map(({ term }) => term ?? 0)

it('shares the partitions, and moves only those that must move when a node comes and goes', async () => {
  cluster = new TestCluster(shortLease)
  await Promise.all([cluster.start('a'), cluster.start('b')])
  await settled('a', placed('a', 'b'))
  const before = await termsOf('a')
  await cluster.start('c')
  await settled('a', placed('a', 'b', 'c'))
  await settled('c', placed('a', 'b', 'c'))
  const moved = (await termsOf('a')).map((term, partition) => term !== before[partition])
  expect(moved).toEqual(placed('a', 'b', 'c').map((owner) => owner === 'c'))
  expect((await cluster.status('b')).nodes.map(({ nodeId }) => nodeId).sort()).toEqual(['a', 'b', 'c'])
  await cluster.stop('c')
  await settled('b', placed('a', 'b'))
  await cluster.until('the others to forget it', async () => {
    const { nodes } = await cluster.status('a')
    return nodes.length === 2 || undefined
  })
})

it('a command that waits for its fence on one node has its say over the runs of another one', async () => {
  cluster = new TestCluster(shortLease)
  await Promise.all([cluster.start('a'), cluster.start('b')])
  await settled('a', placed('a', 'b'))
  const names = ['one', 'two', 'three', 'four', 'five', 'six']
  const made = await Promise.all(
    names.map((name) =>
      cluster.tasks('a', '?wait=fenced', { body: { name, task: 'x', schedule: everySecond } }),
    ),
  )
  expect(made.map(({ status, headers }) => [status, headers.get('almanac-fence')])).toEqual(
    names.map(() => [201, 'fenced']),
  )
  // One's own writes are visible on every node that is asked for them.
  const position = Math.max(...made.map(({ headers }) => Number(headers.get('almanac-position'))))
  const seen = await cluster.tasks('b', `?minPosition=${position}`)
  expect(seen.body.total).toBe(names.length)
  await cluster.until('runs of every task', async () => {
    const { items } = (await cluster.tasks('b')).body
    return items.every(({ totalRunCount }: { totalRunCount: number }) => totalRunCount > 0) || undefined
  })
  const disabled = await Promise.all(
    made.map(async ({ body }) => {
      const answer = await cluster.tasks('b', `/${body.id}/disable?wait=fenced`, { body: {} })
      return { id: body.id, fence: answer.headers.get('almanac-fence'), at: Date.now() }
    }),
  )
  expect(disabled.map(({ fence }) => fence)).toEqual(names.map(() => 'fenced'))
  await new Promise((resolve) => setTimeout(resolve, 3_000))
  for (const { id, at } of disabled) {
    const { items } = (await cluster.ask('a', `/v1/namespaces/default/runs?task=${id}`)).body
    expect(items.length).toBeGreaterThan(0)
    const late = items.filter(({ emittedAt }: { emittedAt: string }) => Date.parse(emittedAt) > at)
    expect(late).toEqual([])
  }
})

it('a node that only schedules serves no API, one that only serves schedules nothing', async () => {
  cluster = new TestCluster(shortLease)
  await Promise.all([
    cluster.start('scheduler', { role: 'scheduler' }),
    cluster.start('api', { role: 'api' }),
  ])
  await settled('api', placed('scheduler'))
  await settled('scheduler', placed('scheduler'))
  expect((await cluster.tasks('scheduler')).status).toBe(404)
  expect((await cluster.ask('scheduler', '/readyz')).status).toBe(200)
  const made = await cluster.tasks('api', '?wait=fenced', {
    body: { name: 'one', task: 'x', schedule: everySecond },
  })
  expect(made.headers.get('almanac-fence')).toBe('fenced')
  await cluster.until('a run', async () => {
    const { total } = (await cluster.ask('api', '/v1/namespaces/default/runs')).body
    return total > 0 || undefined
  })
  const lease = await cluster.ask('api', '/v1/namespaces/default/queues/default/lease', { body: {} })
  expect([lease.status, lease.body.code]).toEqual([409, 'runs_in_topics'])
})

it('goes on from its snapshot, and builds everything anew without it', async () => {
  cluster = new TestCluster()
  await cluster.start('a')
  const body = (n: number) => ({ name: `task ${n}`, task: 'x', schedule: everySecond, enabled: false })
  await Promise.all(Array.from({ length: 30 }, (_, n) => cluster.tasks('a', '', { body: body(n) })))
  await cluster.stop('a')
  const views = `${cluster.folder}/a/views.db`
  // A file that is built anew is another file.
  const { ino } = statSync(views)
  await cluster.start('a')
  expect(statSync(views).ino).toBe(ino)
  expect((await cluster.tasks('a')).body.total).toBe(30)
  await cluster.stop('a')
  await cluster.start('a', { data: `${cluster.folder}/elsewhere` })
  expect((await cluster.tasks('a')).body.total).toBe(30)
})

it('has its folder to itself, and says what is wrong with its configuration', async () => {
  cluster = new TestCluster()
  await cluster.start('a')
  const start = (node: string, options: Record<string, string>) => cluster.start(node, options)
  await expect(start('b', { data: `${cluster.folder}/a` })).rejects.toThrow(/in use|uses/)
  await expect(start('b', { partitions: '8' })).rejects.toThrow('16 partitions: set ALMANAC_PARTITIONS=16')
  await expect(start('b', { cluster: 'other' })).rejects.toThrow(`set ALMANAC_CLUSTER=${cluster.name}`)
  await expect(start('b', { kafka: 'host:99999' })).rejects.toThrow(/ALMANAC_KAFKA.*host:99999/)
  await expect(start('b', { redis: 'http://x' })).rejects.toThrow(/redis/i)
  await expect(start('b', { eventstore: 'esdb://u:p@h:1?tls=false' })).rejects.toThrow(/tls=false/)
  // None of it has left anything behind that keeps it from starting.
  await start('b', {})
})

it('keeps out of the topics of a cluster that has its name and another event log', async () => {
  cluster = new TestCluster()
  await cluster.start('a')
  await cluster.until('a partition to be claimed', async () =>
    (await cluster.owners('a')).includes('a') ? true : undefined,
  )
  const elsewhere = { eventstore: `sqlite:${cluster.folder}/another-log` }
  await expect(cluster.start('b', elsewhere)).rejects.toThrow(/another event log \(its node a\)/)
  expect((await cluster.ask('a', '/readyz')).status).toBe(200)
})
