import { readFileSync, writeFileSync } from 'node:fs'
import { environmentName, flagName, optionsMarkdown } from '@almanac/adapters/system'
import { expect, it } from 'vitest'
import { options } from './options.js'

const page = new URL('../../../../docs/reference/configuration.md', import.meta.url)

const text = `# Configuration

<!-- Made from services/scheduler/src/service/options.ts by \`UPDATE_DOCS=1 npx vitest run options\`. -->

A flag goes before an environment variable, that before the config file (\`almanac.json\` in the working folder, or
the file named by \`--config\` or \`ALMANAC_CONFIG\`), that before the default. Unknown keys are refused. The same
options are for standalone and for the nodes of a cluster; what has no meaning for one of them is said so.

${optionsMarkdown(options)}
`

it('names options the same way everywhere', () => {
  expect(environmentName('runRetentionDays')).toBe('ALMANAC_RUN_RETENTION_DAYS')
  expect(flagName('runRetentionDays')).toBe('run-retention-days')
})

it('writes down every option (UPDATE_DOCS=1 writes the page)', () => {
  if (process.env.UPDATE_DOCS === '1') writeFileSync(page, text)
  expect(readFileSync(page, 'utf8')).toBe(text)
})
