import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { liveRules } from './check/live.js'
import { faultNames } from './index.js'

// What a finding or a summary names is looked up in docs/reference/simulator.md.

const page = readFileSync(new URL('../../../docs/reference/simulator.md', import.meta.url), 'utf8')

/** The names in the first column of the table under a heading. */
function listed(heading: string): readonly string[] {
  const [, section = ''] = page.split(`\n## ${heading}\n`)
  const [text = ''] = section.split('\n## ')
  return [...text.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name = '']) => name)
}

it('the page lists each kind of fault, and no other', () => {
  expect([...listed('Faults')].sort()).toEqual([...faultNames].sort())
})

it('the page lists each rule that is looked at in running nodes, and no other', () => {
  expect([...listed('What is judged')].sort()).toEqual([...liveRules].sort())
})

it('the page has the markers that the kill table is written between', () => {
  const [, behind = ''] = page.split('<!-- kill table -->')
  expect(behind).toContain('<!-- end of kill table -->')
})
