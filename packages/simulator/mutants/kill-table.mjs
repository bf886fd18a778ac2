// Plants each bug in turn and lets the seeds find it: prints who was caught by which seed and rule, as a Markdown table.
// Usage: node packages/simulator/mutants/kill-table.mjs [--seeds 200] [--jobs 2] [name ...]
import { parseArgs } from 'node:util'
import { hunt } from './hunting.mjs'
import { mutants } from './mutants.mjs'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seeds: { type: 'string', default: '200' }, jobs: { type: 'string', default: '2' } },
})
const chosen = mutants.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
const rows = new Map()
const waiting = [...chosen]
const work = async () => {
  for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
    const { name } = mutant
    const found = await hunt(name, { count: Number(values.seeds) }).catch((error) => error)
    rows.set(name, found)
    const said = found instanceof Error ? found.message : found === null ? 'NOT CAUGHT' : `seed ${found.seed}: ${found.rule}`
    console.error(`${rows.size} of ${chosen.length}  ${name}: ${said}`)
  }
}
await Promise.all(Array.from({ length: Number(values.jobs) }, work))
console.log('| planted bug | caught by seed | rule |\n|---|---|---|')
for (const { name } of chosen) {
  const found = rows.get(name)
  console.log(`| ${name} | ${found?.seed ?? 'not caught'} | ${found?.rule ?? ''} |`)
}
process.exitCode = [...rows.values()].every((found) => found?.seed !== undefined) ? 0 : 1
