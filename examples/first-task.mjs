#!/usr/bin/env node
// The first steps with Almanac's HTTP API in plain Node 20, without dependencies: create tasks of several kinds, get
// or create, handle errors, change, disable, and look back. Runs in a namespace of its own and may be run again.
//
//   node examples/first-task.mjs
//
// Environment: ALMANAC_URL (http://127.0.0.1:7420), ALMANAC_NAMESPACE (examples), ALMANAC_KEY (where one is needed).

import { env } from 'node:process'

const url = (env.ALMANAC_URL ?? 'http://127.0.0.1:7420').replace(/\/+$/, '')
const namespace = env.ALMANAC_NAMESPACE ?? 'examples'

const say = (text) => process.stdout.write(`${text}\n`)

/** Asks the API; answers status, body and ETag. Only a server that cannot be reached is thrown. */
const ask = async (method, path, body, headers = {}) => {
  const response = await fetch(`${url}/v1/namespaces/${namespace}${path}`, {
    method,
    headers: {
      'almanac-actor': 'first-task example',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(env.ALMANAC_KEY === undefined ? {} : { authorization: `Bearer ${env.ALMANAC_KEY}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return {
    status: response.status,
    body: text === '' ? undefined : JSON.parse(text),
    etag: response.headers.get('etag'),
  }
}

/** The same, for steps that have to succeed. */
const must = async (...question) => {
  const answer = await ask(...question)
  if (answer.status < 300) return answer
  throw new Error(`${question[0]} ${question[1]}: ${answer.status} ${JSON.stringify(answer.body)}`)
}

const show = (label, { status, body }) =>
  say(`${label}: ${status} "${body.name}", ${body.scheduleText}, next ${body.nextRunAt ?? 'none'}`)

const inDays = (days) => new Date(Date.now() + days * 86_400_000).toISOString()

const clean = async () => {
  const { body } = await must('GET', '/tasks?label=example%3Dfirst-task')
  if (body.items.length === 0) return
  const operations = body.items.map(({ id }) => ({ op: 'delete', id, reason: 'left by an earlier run' }))
  await must('POST', '/tasks/bulk', { operations })
  say(`deleted ${operations.length} tasks of an earlier run; their history stays`)
}

const labels = { example: 'first-task' }

const createThree = async () => {
  say('\n1. Three kinds of tasks')
  const interval = await must('POST', '/tasks', {
    name: 'Process queue every 30 minutes',
    task: 'myapp.tasks.process_queue',
    schedule: { interval: { every: 30, period: 'minutes' } },
    kwargs: { priority: 'high' },
    labels,
  })
  show('interval', interval)
  const crontab = await must('POST', '/tasks', {
    name: 'Daily backup at 2 AM',
    task: 'myapp.tasks.backup_database',
    schedule: { crontab: { minute: '0', hour: '2', timezone: 'UTC' } },
    queue: 'backup_queue',
    expires: inDays(30),
    description: 'Automated daily database backup',
    labels,
  })
  show('crontab', crontab)
  const oneOff = await must('POST', '/tasks', {
    name: 'One-time data migration',
    task: 'myapp.tasks.migrate_data',
    schedule: { interval: { every: 10, period: 'seconds' } },
    args: ['migration_v2'],
    oneOff: true,
    labels,
  })
  show('one-off', oneOff)
  return { interval, crontab, oneOff }
}

const getOrCreate = async () => {
  say('\n2. Get or create: the second time it is there already, and left as it is')
  const body = {
    task: 'myapp.tasks.cleanup',
    schedule: { crontab: { expression: '@hourly' } },
    labels,
  }
  const path = `/tasks/by-name/${encodeURIComponent('Hourly cleanup')}`
  for (const attempt of ['first', 'second']) {
    show(attempt, await must('PUT', path, body, { 'if-none-match': '*' }))
  }
}

const handleErrors = async () => {
  say('\n3. What goes wrong is answered by code and by field')
  const twice = await ask('POST', '/tasks', {
    name: 'Daily backup at 2 AM',
    task: 'x',
    schedule: { interval: { every: 1, period: 'days' } },
  })
  say(`the same name again: ${twice.status} ${twice.body.code}`)
  const wrong = await ask('POST', '/tasks', {
    name: 'Wrong',
    task: 'x',
    schedule: { crontab: { minute: '0', hour: '25' } },
    priority: 9,
    expires: inDays(1),
    expireSeconds: 60,
  })
  say(`a wrong task: ${wrong.status} ${wrong.body.code}`)
  for (const { path, message } of wrong.body.errors) say(`  ${path}: ${message}`)
  const lost = await ask('GET', '/tasks/00000000000000000000000000')
  say(`a task that is not there: ${lost.status} ${lost.body.code}`)
}

const change = async ({ interval, crontab }) => {
  say('\n4. Change: with If-Match nobody’s change is overwritten')
  const later = { schedule: { crontab: { minute: '30', hour: '2' } }, reason: 'the database is busy at 2' }
  const patched = await must('PATCH', `/tasks/${crontab.body.id}`, later, { 'if-match': crontab.etag })
  show('changed', patched)
  const stale = await ask('PATCH', `/tasks/${crontab.body.id}`, later, { 'if-match': crontab.etag })
  say(`with what was read before: ${stale.status} ${stale.body.code}`)

  const off = await must('POST', `/tasks/${interval.body.id}/disable`, { reason: 'maintenance window' })
  say(`disabled: enabled ${off.body.enabled}, because "${off.body.disabledReason}"`)
  show('enabled again', await must('POST', `/tasks/${interval.body.id}/enable`, {}))
  show('starts in a week', await must('PATCH', `/tasks/${interval.body.id}`, { startTime: inDays(7) }))
  await must('POST', `/tasks/${interval.body.id}/reset-history`, { reason: 'counting anew' })
  const { body } = await must('GET', `/tasks/${interval.body.id}`)
  say(`history reset: ${body.totalRunCount} runs, last ${body.lastRunAt ?? 'never'}`)
}

const bulk = async () => {
  say('\n5. A bulk change, and telling those who watch the marker')
  const before = await must('GET', '/changes/last')
  const { body } = await must('GET', '/tasks?label=example%3Dfirst-task')
  const operations = body.items.map(({ id }) => ({ op: 'patch', id, changes: { priority: 5 } }))
  const done = await must('POST', '/tasks/bulk', { operations, reason: 'all the same priority' })
  const after = await must('GET', '/changes/last')
  say(`${done.body.succeeded} changed, ${done.body.failed} not; the marker moved by itself:`)
  say(`  ${before.body.position} -> ${after.body.position} at ${after.body.lastUpdate}`)
  const announced = await must('POST', '/changes', { note: 'rows changed behind Almanac’s back' })
  say(`announced: ${announced.body.position}`)
}

const lookBack = async ({ crontab }) => {
  say('\n6. Who changed what, and when')
  const { body } = await must('GET', `/tasks/${crontab.body.id}/history`)
  for (const { at, type, actor, reason, changes } of body.items) {
    const fields = type === 'TaskCreated' ? '' : changes.map(({ path }) => path).join(', ')
    say(`  ${at} ${type} by ${actor}${reason === null ? '' : ` (${reason})`} ${fields}`)
  }
  const coming = await must('GET', `/tasks/${crontab.body.id}/occurrences?count=3`)
  say(`next: ${coming.body.items.map(({ at }) => at).join(', ')}`)
}

await clean()
const tasks = await createThree()
await getOrCreate()
await handleErrors()
await change(tasks)
await bulk()
await lookBack(tasks)
say(`\nSee them with: npx almanac tasks list -n ${namespace}`)
