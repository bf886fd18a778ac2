// One mutant (ALMANAC_MUTANT, planted by plant.mjs) against the seeds, until one fails: prints what was found as JSON.
import { runSeed } from '@almanac/simulator'

const [from, count] = process.argv.slice(2).map(Number)
let found = null
for (let seed = from; seed < from + count && found === null; seed += 1) {
  const report = await runSeed(seed)
  const [first] = report.findings
  if (first !== undefined) found = { seed, rule: first.rule, message: first.message }
}
process.stdout.write(`${JSON.stringify(found)}\n`)
