#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

// Committed as plain JavaScript so that `npm ci` can link it before anything has been built.
const built = new URL('../dist/main.js', import.meta.url)
// Before anything looks at the time: no result may depend on the zone of the machine.
process.env.TZ = 'UTC'

if (existsSync(fileURLToPath(built))) {
  await import(built.href)
} else {
  process.stderr.write('almanac: not built yet. Run `npm run build` in the repository first.\n')
  process.exitCode = 2
}
