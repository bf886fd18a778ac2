/** One sample of a page in the Prometheus text format. */
export interface Sample {
  readonly name: string
  readonly labels: { readonly [name: string]: string }
  readonly value: number
}

export interface Family {
  readonly type: string
  readonly help: string
  readonly samples: Sample[]
}

const sampleForm = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
const labelForm = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y
const types = ['counter', 'gauge', 'histogram', 'summary', 'untyped']

/**
 * Reads a page by the rules of format 0.0.4, and throws at the first that is broken: HELP and TYPE once and before the
 * samples, a family in one piece, no sample twice, numbers that are numbers, histograms with growing buckets up to
 * +Inf.
 */
export function parsePrometheus(page: string): ReadonlyMap<string, Family> {
  if (!page.endsWith('\n')) throw new Error('the last line does not end')
  const families = new Map<string, Family>()
  const seen = new Set<string>()
  let help: readonly [string, string] | undefined
  let current: string | undefined
  for (const line of page.slice(0, -1).split('\n')) {
    const [, word, about = '', rest = ''] = /^# (HELP|TYPE) (\S+)(?: (.*))?$/.exec(line) ?? []
    if (word === 'HELP') {
      help = [about, rest]
    } else if (word === 'TYPE') {
      if (help?.[0] !== about) throw new Error(`no HELP right before: ${line}`)
      if (!types.includes(rest)) throw new Error(`no such type: ${line}`)
      if (families.has(about)) throw new Error(`twice: ${line}`)
      families.set(about, { type: rest, help: help[1], samples: [] })
      current = about
    } else {
      const sample = sampleOf(line)
      const family = familyOf(families, current, sample.name)
      const key = JSON.stringify([sample.name, Object.entries(sample.labels).sort()])
      if (seen.has(key)) throw new Error(`twice: ${line}`)
      seen.add(key)
      family.samples.push(sample)
    }
  }
  for (const [name, family] of families) if (family.type === 'histogram') checkHistogram(name, family)
  return families
}

function familyOf(families: ReadonlyMap<string, Family>, current: string | undefined, name: string): Family {
  const family = current === undefined ? undefined : families.get(current)
  if (family === undefined || current === undefined) throw new Error(`${name} has no TYPE`)
  const isOwn =
    family.type === 'histogram'
      ? ['_bucket', '_sum', '_count'].some((end) => name === `${current}${end}`)
      : name === current
  if (!isOwn) throw new Error(`${name} stands under ${current}`)
  return family
}

function sampleOf(line: string): Sample {
  const [, name, inside, number] = sampleForm.exec(line) ?? []
  if (name === undefined || number === undefined) throw new Error(`not a sample: ${line}`)
  const value =
    { '+Inf': Number.POSITIVE_INFINITY, '-Inf': Number.NEGATIVE_INFINITY }[number] ?? Number(number)
  if (Number.isNaN(value) && number !== 'NaN') throw new Error(`not a number: ${line}`)
  const labels: { [name: string]: string } = {}
  labelForm.lastIndex = 0
  let read = 0
  while (inside !== undefined && read < inside.length) {
    const [pair, label, text = ''] = labelForm.exec(inside) ?? []
    if (pair === undefined || label === undefined) throw new Error(`bad labels: ${line}`)
    if (Object.hasOwn(labels, label)) throw new Error(`label twice: ${line}`)
    labels[label] = text.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char))
    read = labelForm.lastIndex
  }
  return { name, labels, value }
}

function checkHistogram(name: string, { samples }: Family): void {
  const series = new Map<string, { le: number; count: number }[]>()
  const keyOf = ({ labels }: Sample) =>
    JSON.stringify(
      Object.entries(labels)
        .filter(([label]) => label !== 'le')
        .sort(),
    )
  for (const sample of samples.filter((each) => each.name === `${name}_bucket`)) {
    const { le } = sample.labels
    if (le === undefined) throw new Error(`${name} has a bucket without a bound`)
    const buckets = series.get(keyOf(sample)) ?? []
    buckets.push({ le: le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), count: sample.value })
    series.set(keyOf(sample), buckets)
  }
  for (const [key, buckets] of series) {
    const isSorted = buckets.every(
      ({ le, count }, i) =>
        i === 0 || (le > (buckets[i - 1]?.le ?? 0) && count >= (buckets[i - 1]?.count ?? 0)),
    )
    const last = buckets.at(-1)
    const total = samples.find((each) => each.name === `${name}_count` && keyOf(each) === key)
    if (!isSorted || last?.le !== Number.POSITIVE_INFINITY) throw new Error(`buckets of ${name} ${key}`)
    if (total?.value !== last.count) throw new Error(`${name}_count ${key} is not that of its last bucket`)
    if (!samples.some((each) => each.name === `${name}_sum` && keyOf(each) === key)) {
      throw new Error(`${name} ${key} has no sum`)
    }
  }
}
