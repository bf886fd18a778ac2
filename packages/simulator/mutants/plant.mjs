// node --import <this file>, with ALMANAC_MUTANT=<name>: plants one bug in the built code as it is loaded.
import { register } from 'node:module'
import { mutants } from './mutants.mjs'

const name = process.env.ALMANAC_MUTANT
const mutant = mutants.find((each) => each.name === name)
if (mutant === undefined) throw new Error(`no mutant is named "${name}"`)
register('./plant-hooks.mjs', import.meta.url, { data: mutant.edits })
