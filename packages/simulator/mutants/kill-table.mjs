// Plants each bug in turn and lets the seeds find it: who was caught by which seed and rule, as a Markdown table.
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { hunt } from './hunting.mjs'
import { mutants } from './mutants.mjs'

const page = 'docs/reference/simulator.md'
const begin = '<!-- kill table -->'
const end = '<!-- end of kill table -->'

const help = `Plants each bug in turn and lets the seeds find it.

npm run simulate:mutants -- [options] [name ...]

  --seeds <n>   how many seeds each bug has to be found in (default 200)
  --jobs <n>    bugs at once (default: as many as there are cores)
  --write       put the table into ${page}; only with all of them
  name          this bug alone; several may be given

Ends with 1 when a bug was not found.`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean', short: 'h' },
    seeds: { type: 'string', default: '200' },
    jobs: { type: 'string', default: `${availableParallelism()}` },
    write: { type: 'boolean' },
  },
})

async function main() {
  for (const name of positionals) {
    if (!mutants.some((mutant) => mutant.name === name)) throw new Error(`no mutant is named "${name}"`)
  }
  if (values.write && positionals.length > 0) throw new Error('--write is for all of them: name none')
  const chosen = mutants.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  const rows = await huntAll(chosen)
  const table = tableOf(chosen, rows)
  if (values.write) insert(table)
  else process.stdout.write(`${table}\n`)
  const areCaught = [...rows.values()].every((found) => found?.seed !== undefined)
  process.exitCode = areCaught ? 0 : 1
}

async function huntAll(chosen) {
  const rows = new Map()
  const waiting = [...chosen]
  const work = async () => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const { name } = mutant
      const found = await hunt(name, { count: Number(values.seeds) }).catch((error) => error)
      rows.set(name, found)
      process.stderr.write(`${rows.size} of ${chosen.length}  ${name}: ${saidOf(found)}\n`)
    }
  }
  await Promise.all(Array.from({ length: Number(values.jobs) }, work))
  return rows
}

function saidOf(found) {
  if (found instanceof Error) return found.message
  return found === null ? 'NOT CAUGHT' : `seed ${found.seed}: ${found.rule}`
}

const tableOf = (chosen, rows) =>
  [
    '| planted bug | what it does | caught by seed | rule |',
    '|---|---|---|---|',
    ...chosen.map(({ name, why }) => {
      const found = rows.get(name)
      const rule = found?.rule === undefined ? '' : `\`${found.rule}\``
      return `| ${name} | ${why} | ${found?.seed ?? 'not caught'} | ${rule} |`
    }),
  ].join('\n')

/** Puts the table between the markers; the page is found from here, wherever the command is run. */
function insert(table) {
  const file = new URL(`../../../${page}`, import.meta.url)
  const text = readFileSync(file, 'utf8')
  const from = text.indexOf(begin)
  const until = text.indexOf(end)
  if (from < 0 || until < from) throw new Error(`${page} has not ${begin} and ${end}`)
  writeFileSync(file, `${text.slice(0, from + begin.length)}\n\n${table}\n\n${text.slice(until)}`)
}

if (values.help) process.stdout.write(`${help}\n`)
else await main()
