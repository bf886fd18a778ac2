#!/usr/bin/env -S node --max-semi-space-size=64
// Before anything looks at the time: no result may depend on the machine's zone.
process.env.TZ = 'UTC'

const { serveNode } = await import('../dist/index.js')
process.exitCode = await serveNode(process)
