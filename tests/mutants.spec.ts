import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

// All of them against up to 200 seeds is `npm run simulate:mutants`, a check of its own in the CI. Here: that each one
// still fits the code that is built, and that planting and catching work.

interface Mutant {
  readonly name: string
  readonly edits: readonly { readonly file: string; readonly find: string; readonly replace: string }[]
}
type Hunt = (name: string, seeds: { readonly count: number }) => Promise<unknown>

const folder = '../packages/simulator/mutants'
const { mutants } = (await import(`${folder}/mutants.mjs`)) as { readonly mutants: readonly Mutant[] }
const { hunt } = (await import(`${folder}/hunting.mjs`)) as { readonly hunt: Hunt }

it.each(mutants)('"$name" fits the built code', ({ edits }) => {
  expect(edits.length).toBeGreaterThan(0)
  for (const { file, find, replace } of edits) {
    const source = readFileSync(new URL(`../packages/${file}`, import.meta.url), 'utf8')
    expect(source.split(find)).toHaveLength(2)
    expect(replace).not.toBe(find)
  }
})

it('a planted bug is caught by the first seeds', async () => {
  expect(await hunt('runs committed before their checkpoint', { count: 5 })).toMatchObject({
    seed: expect.any(Number),
    rule: expect.any(String),
  })
}, 120_000)

it('an edit that fits nowhere is told, not taken for a bug that was not caught', async () => {
  await expect(hunt('no such bug', { count: 1 })).rejects.toThrow('no mutant is named "no such bug"')
})
