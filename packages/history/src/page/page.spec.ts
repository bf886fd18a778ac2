import { expect, it } from 'vitest'
import { checkHistory } from '../check.js'
import { edited, isRunOf, life } from '../lives.spec-support.js'
import type { HistoryRecord } from '../types.js'
import { historyPage } from './page.js'

const pageOf = (records: readonly HistoryRecord[]) => historyPage(checkHistory(records), records)

it('shows a clean history as one file without scripts', () => {
  const page = pageOf(life())
  expect(page).toContain('Nothing is wrong')
  expect(page).toContain('prefers-color-scheme: dark')
  expect(page).not.toContain('<script')
  expect(page).not.toMatch(/(src|href)="(?!#)/)
  expect(page).not.toContain('id="task-')
  expect(page.match(/class="t\d"/g)?.length).toBeGreaterThanOrEqual(5)
  expect(page).toContain('crash node-0')
  expect(page).toMatch(/no checkpoint for [\d.]+ min/)
  expect(page).not.toContain('NaN')
})

it('lists what is wrong, with a link to the events of the task', () => {
  const page = pageOf(edited(life(), isRunOf('OFTEN'), 3, () => []))
  expect(page).toMatch(/\d+ violations/)
  expect(page).toContain('<a href="#task-OFTEN">OFTEN</a>')
  expect(page).toContain('<h3 id="task-OFTEN">OFTEN</h3>')
  expect(page).toContain('<span class="mark bad">broken</span>')
  expect(page).toContain('<polygon class="broken"')
})

it('escapes what others have written', () => {
  const records = life().map((record) =>
    record.kind === 'meta' ? { ...record, source: '<img src=x onerror=alert(1)>' } : record,
  )
  expect(pageOf(records)).not.toContain('<img')
})

it('is a page for a history of nothing as well', () => {
  const page = pageOf(life().filter(({ kind }) => kind === 'meta'))
  expect(page).toContain('No checkpoint was seen.')
  expect(page).toContain('No run of a schedule was seen.')
  expect(page).toContain('not seen')
})
