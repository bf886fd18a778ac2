import { readFileSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { environmentName, flagName, renderOptionsPage } from './options.js'

const page = new URL('../../../docs/reference/configuration.md', import.meta.url)

it('names options the same way everywhere', () => {
  expect(environmentName('runRetentionDays')).toBe('ALMANAC_RUN_RETENTION_DAYS')
  expect(flagName('runRetentionDays')).toBe('run-retention-days')
})

it('writes down every option (UPDATE_DOCS=1 writes the page)', () => {
  if (process.env.UPDATE_DOCS === '1') writeFileSync(page, renderOptionsPage())
  expect(readFileSync(page, 'utf8')).toBe(renderOptionsPage())
})
