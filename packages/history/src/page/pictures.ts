import type { PartitionId } from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import type { Seen } from '../seen.js'
import type { HistoryReport, Violation } from '../types.js'
import { clock, duration, escaped, number, short } from './html.js'

const width = 1000

/** How many runs came how late. */
export function latenessChart(lateness: HistoryReport['lateness']): string {
  const last = lateness.reduce((found, { runs }, index) => (runs > 0 ? index : found), -1)
  const shown = lateness.slice(0, last + 1)
  if (shown.length === 0) return '<p class="note">No run of a schedule was seen.</p>'
  const most = Math.max(...shown.map(({ runs }) => runs))
  const height = 180
  const step = width / shown.length
  const bars = shown.map(({ upToMs, runs }, index) => {
    const tall = (runs / most) * height
    const x = index * step
    const label = upToMs === 0 ? 'on time' : `≤ ${duration(upToMs)}`
    return `<g><title>${escaped(label)}: ${number(runs)} runs</title>
<rect class="bar" x="${short(x + 3)}" y="${short(height + 16 - tall)}" width="${short(step - 6)}"
height="${short(tall)}"/>
<text x="${short(x + step / 2)}" y="${short(height + 12 - tall)}" text-anchor="middle">${number(runs)}</text>
<text x="${short(x + step / 2)}" y="${height + 34}" text-anchor="middle">${escaped(label)}</text></g>`
  })
  return `<div class="scroll"><svg role="img" aria-label="Runs by how long after their time they were committed"
viewBox="0 0 ${width} ${height + 44}"><line class="grid" x1="0" x2="${width}" y1="${height + 16}" y2="${height + 16}"/>
${bars.join('\n')}</svg></div>`
}

const rowsShown = 64
const left = 90
const rowHeight = 20
const top = 40
/** Without a checkpoint for longer a partition stood still. */
const stillMs = 35_000

/** Each partition in time: who owned it, when it stood still, and where something is wrong; faults above. */
export function timelines(seen: Seen, violations: readonly Violation[]): string {
  const [from, until] = rangeOf(seen)
  if (!(until > from)) return '<p class="note">No checkpoint was seen.</p>'
  const x = (at: Instant) => short(left + ((at - from) / (until - from)) * (width - left - 4))
  const partitions = Math.min(seen.meta.partitions, rowsShown)
  const bottom = top + partitions * rowHeight
  const faults = seen.faults.map(
    ({ at, fault, detail }) =>
      `<rect class="fault" x="${x(at)}" y="${top - 14}" width="3" height="10"><title>${escaped(
        `${clock(at)} ${fault} ${detail}`,
      )}</title></rect>`,
  )
  const healed = seen.healed.map(
    (at) =>
      `<line class="healed" x1="${x(at)}" x2="${x(at)}" y1="${top - 18}" y2="${bottom}">
<title>healed ${clock(at)}</title></line>`,
  )
  const rows = Array.from({ length: partitions }, (_, partition) =>
    rowOf(seen, violations, partition, top + partition * rowHeight, x),
  )
  const more = seen.meta.partitions - partitions
  const note = more > 0 ? `<p class="note">${more} more partitions are not shown.</p>` : ''
  return `<div class="scroll"><svg role="img" aria-label="Owners of each partition in time"
viewBox="0 0 ${width} ${bottom + 24}"><text x="0" y="${top - 6}">faults</text>
${faults.join('')}
${rows.join('\n')}
${healed.join('')}
<text x="${left}" y="${bottom + 18}">${clock(from)}</text>
<text x="${width - 4}" y="${bottom + 18}" text-anchor="end">${clock(until)}</text></svg></div>
<p class="note">A colour is one term of an owner; point at it for the node. Outlined: no checkpoint for more than
${stillMs / 1000} s. Dashed line: the last fault is over. Triangle: a violation.</p>${note}`
}

function rowOf(
  seen: Seen,
  violations: readonly Violation[],
  partition: PartitionId,
  y: number,
  x: (at: Instant) => string,
): string {
  const middle = y + rowHeight / 2
  const box = (from: Instant, to: Instant, kind: string, title: string) => {
    const wide = Math.max(1, Number(x(to)) - Number(x(from)))
    return `<rect class="${kind}" x="${x(from)}" y="${y + 3}" width="${short(wide)}" height="${rowHeight - 7}">
<title>${escaped(title)}</title></rect>`
  }
  const owned = spansOf(seen, partition).map(({ term, from, to, node }) =>
    box(
      from,
      to,
      `t${term % 5}`,
      `term ${term}${node === null ? '' : `, ${node}`}: ${clock(from)} to ${clock(to)}`,
    ),
  )
  const still = stillsOf(seen, partition).map(({ from, to }) =>
    box(from, to, 'gap', `no checkpoint for ${duration(to - from)} from ${clock(from)}`),
  )
  const marks = violations
    .filter((violation) => violation.partition === partition && violation.at !== null)
    .slice(0, 200)
    .map(({ at, rule, message }) => {
      const place = Number(x(at ?? 0))
      const points = `${short(place - 5)},${y + 1} ${short(place + 5)},${y + 1} ${short(place)},${y + 10}`
      return `<polygon class="broken" points="${points}"><title>${escaped(`${rule}: ${message}`)}</title></polygon>`
    })
  const name = `<text x="0" y="${middle + 4}">partition ${partition}</text>`
  return `<g>${name}${owned.join('')}${still.join('')}${marks.join('')}</g>`
}

interface Span {
  readonly term: number
  readonly node: string | null
  from: Instant
  to: Instant
}

/** Stretches in which checkpoints of one term were written. */
function spansOf({ checkpoints, owners }: Seen, partition: PartitionId): readonly Span[] {
  const nodes = new Map((owners.get(partition) ?? []).map(({ term, nodeId }) => [term, nodeId]))
  const spans: Span[] = []
  for (const { appendedAt, checkpoint } of checkpoints.get(partition) ?? []) {
    const { term } = checkpoint
    const last = spans.at(-1)
    if (last?.term === term) last.to = appendedAt
    else spans.push({ term, node: nodes.get(term) ?? null, from: appendedAt, to: appendedAt })
  }
  return spans
}

function stillsOf({ checkpoints }: Seen, partition: PartitionId) {
  const list = checkpoints.get(partition) ?? []
  return list.flatMap(({ appendedAt }, index) => {
    const from = list[index - 1]?.appendedAt
    return from !== undefined && appendedAt - from > stillMs ? [{ from, to: appendedAt }] : []
  })
}

function rangeOf({ checkpoints, faults, healed, end }: Seen): readonly [Instant, Instant] {
  let from = Number.POSITIVE_INFINITY
  let until = Number.NEGATIVE_INFINITY
  const take = (at: Instant | undefined): void => {
    if (at === undefined) return
    from = Math.min(from, at)
    until = Math.max(until, at)
  }
  for (const list of checkpoints.values()) for (const { appendedAt } of list) take(appendedAt)
  for (const { at } of faults) take(at)
  for (const at of healed) take(at)
  if (end !== null) take(end)
  return [from, until]
}
