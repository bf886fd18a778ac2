#!/usr/bin/env node
// Before anything looks at the time: no result may depend on the machine's zone.
process.env.TZ = 'UTC'

const { serveNode } = await import('../dist/index.js')
process.exitCode = await serveNode(process)
