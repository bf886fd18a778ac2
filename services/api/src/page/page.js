// The status page. Everything that users wrote goes to the page through textContent.

const refreshMs = 2_000
const rows = 15
const byId = (id) => document.getElementById(id)
const namespaceInput = byId('namespace')
const keyInput = byId('key')
// For this tab alone, and gone with it.
keyInput.value = sessionStorage.getItem('almanac-key') ?? ''

let feed
let feedNamespace
let changes = []

function element(name, text, className) {
  const made = document.createElement(name)
  if (text !== undefined) made.textContent = text
  if (className) made.className = className
  return made
}

function cell(text, className, title) {
  const made = element('td', text, className)
  if (title) made.title = title
  return made
}

function fill(id, cellsOfRows, columns, empty) {
  const body = cellsOfRows.map((cells) => {
    const row = element('tr')
    row.append(...cells)
    return row
  })
  if (body.length === 0) {
    const only = cell(empty, 'muted')
    only.colSpan = columns
    const row = element('tr')
    row.append(only)
    body.push(row)
  }
  byId(id).replaceChildren(...body)
}

function span(ms) {
  const s = Math.abs(ms) / 1_000
  if (s < 1) return `${Math.round(Math.abs(ms))} ms`
  if (s < 100) return `${Math.round(s)} s`
  if (s < 6_000) return `${Math.round(s / 60)} min`
  return s < 172_800 ? `${Math.round(s / 3_600)} h` : `${Math.round(s / 86_400)} days`
}

const shortTime = (iso) =>
  new Date(iso).toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'medium' })
const relative = (iso, now) => {
  const ms = Date.parse(iso) - now
  return ms >= 0 ? `in ${span(ms)}` : `${span(ms)} ago`
}

const statusClass = { succeeded: 'good', failed: 'bad', expired: 'warn', cancelled: 'warn' }

const credential = () => {
  const key = keyInput.value.trim()
  return key === '' ? {} : { authorization: `Bearer ${key}` }
}

async function read(url) {
  const response = await fetch(url, { headers: { accept: 'application/json', ...credential() } })
  const body = await response.json()
  if (response.status === 401) byId('keyLabel').hidden = false
  if (!response.ok) throw new Error(body.detail ?? `HTTP ${response.status}`)
  return body
}

function showCluster(cluster) {
  const node = cluster.nodes.find(({ nodeId }) => nodeId === cluster.nodeId)
  const state = byId('state')
  state.textContent = node.ready ? 'running' : (node.problem ?? 'not ready')
  state.className = `pill ${node.ready ? 'good' : 'warn'}`
  const { tasks, runs, counters } = cluster
  const counts = [
    ['Tasks', tasks.tasks],
    ['Enabled', tasks.enabled],
    ['Quarantined', tasks.quarantined, tasks.quarantined > 0 ? 'bad' : ''],
    ['Queued', runs.queued ?? 0],
    ['Running', runs.running ?? 0],
    ['Succeeded', runs.succeeded ?? 0],
    ['Failed', runs.failed ?? 0, runs.failed > 0 ? 'bad' : ''],
    ['Emitted since start', counters.runs_emitted_total ?? 0],
    ['Skipped since start', counters.skips_total ?? 0],
  ]
  byId('counts').replaceChildren(
    ...counts.map(([label, value, className]) => {
      const card = element('div')
      card.append(element('dt', label), element('dd', value.toLocaleString(), className))
      return card
    }),
  )
  const owned = cluster.partitions.filter(({ owner }) => owner === node.nodeId).length
  const behind = node.lag > 0 ? `, ${node.lag} behind` : ''
  const up = span(Date.parse(node.now) - Date.parse(node.startedAt))
  byId('footer').textContent =
    `Node ${node.nodeId} of cluster ${cluster.cluster}, up ${up}, ` +
    `${owned} of ${cluster.partitions.length} partitions, event log at ${cluster.head}${behind}. ` +
    `Times are in your zone. Refreshed every ${refreshMs / 1_000} s.`
  return Date.parse(node.now)
}

function showTasks({ items, total }, now) {
  const due = items
    .filter(({ nextRunAt }) => nextRunAt !== null)
    .sort((a, b) => (a.nextRunAt < b.nextRunAt ? -1 : 1))
    .slice(0, rows)
  const first = items.length < total ? ` among the first ${items.length} of ${total} tasks` : ''
  fill(
    'next',
    due.map((task) => [
      cell(task.name, 'wide'),
      cell(task.task, 'wide muted'),
      cell(task.scheduleText, 'wide'),
      cell(relative(task.nextRunAt, now), '', shortTime(task.nextRunAt)),
      cell(task.totalRunCount.toLocaleString(), 'number'),
    ]),
    5,
    `Nothing is due${first}.`,
  )
}

function showRuns({ items }, now) {
  fill(
    'runs',
    items.map((run) => [
      cell(run.taskName, 'wide'),
      cell(relative(run.scheduledAt, now), '', shortTime(run.scheduledAt)),
      cell(span(Date.parse(run.emittedAt) - Date.parse(run.scheduledAt)), 'muted'),
      cell(run.status, statusClass[run.status], run.error ?? ''),
      cell(run.kind, 'muted'),
      cell(`${run.attempt}/${run.maxAttempts}`, 'number'),
      cell(run.worker ?? '', 'muted'),
    ]),
    7,
    'Nothing has run yet.',
  )
}

// The sentence without who and why, which have columns of their own.
function deedOf({ text, actor, reason, subject }) {
  const why = reason === null ? '' : ` (${reason})`
  const deed = text.slice(actor.length + 1, text.length - why.length)
  return subject.name === null ? `${deed} · ${subject.id}` : deed
}

function showChanges() {
  const now = Date.now()
  fill(
    'changes',
    changes.map((event) => [
      cell(relative(event.at, now), '', shortTime(event.at)),
      cell(event.actor),
      cell(deedOf(event), 'wide', event.type),
      cell(event.reason ?? '', 'wide muted'),
    ]),
    4,
    'No change yet.',
  )
}

// EventSource can not send a key.
async function readFeed(url, signal) {
  const response = await fetch(url, { headers: credential(), signal })
  if (!response.ok) throw new Error(`HTTP ${response.status}`)
  let rest = ''
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    const messages = (rest + piece).split('\n\n')
    rest = messages.pop()
    for (const message of messages) {
      const data = /^data: (.*)$/m.exec(message)?.[1]
      if (data !== undefined) changes = [JSON.parse(data), ...changes].slice(0, rows)
    }
  }
}

function follow(namespace, head) {
  if (feedNamespace === namespace) return
  feed?.abort()
  feed = new AbortController()
  feedNamespace = namespace
  changes = []
  const again = () => {
    // At the next refresh, with what is there then.
    if (feedNamespace === namespace) feedNamespace = undefined
  }
  const url = `/v1/namespaces/${encodeURIComponent(namespace)}/events?after=${Math.max(0, head - 200)}`
  readFeed(url, feed.signal).then(again, again)
}

async function refresh() {
  const problem = byId('problem')
  try {
    const namespace = namespaceInput.value.trim() || 'default'
    const root = `/v1/namespaces/${encodeURIComponent(namespace)}`
    const cluster = await read('/v1/cluster')
    const now = showCluster(cluster)
    const [tasks, runs] = await Promise.all([
      read(`${root}/tasks?enabled=true&limit=200`),
      read(`${root}/runs?limit=${rows}`),
    ])
    showTasks(tasks, now)
    showRuns(runs, now)
    follow(namespace, cluster.head)
    showChanges()
    problem.hidden = true
  } catch (error) {
    problem.textContent =
      error instanceof TypeError ? 'Almanac does not answer. Trying again.' : error.message
    problem.hidden = false
    if (error instanceof TypeError) {
      byId('state').textContent = 'unreachable'
      byId('state').className = 'pill bad'
    }
  }
}

async function loop() {
  if (!document.hidden) await refresh()
  setTimeout(loop, refreshMs)
}

namespaceInput.addEventListener('change', refresh)
keyInput.addEventListener('change', () => {
  sessionStorage.setItem('almanac-key', keyInput.value.trim())
  feedNamespace = undefined
  void refresh()
})
void loop()
