#!/usr/bin/env node
// An EventStoreDB that is none, as a process: prints its address, takes orders on standard input, ends on SIGTERM.
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { obey, startDouble } from '../dist/index.js'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    data: { type: 'string' },
    'system-events': { type: 'string', default: '50' },
    // Files in PEM. Both or none.
    'tls-certificate': { type: 'string' },
    'tls-key': { type: 'string' },
    // A file with { name: { password, groups } }, in JSON.
    users: { type: 'string' },
    // Ends when its standard input does, so that it does not outlive who has started it.
    'with-parent': { type: 'boolean', default: false },
  },
})
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)

const { users, 'tls-certificate': certificate, 'tls-key': key } = values
const textOf = (file) => readFileSync(file, 'utf8')
const double = await startDouble({
  ...(certificate && key ? { tls: { certificate: textOf(certificate), key: textOf(key) } } : {}),
  ...(users ? { users: JSON.parse(textOf(users)) } : {}),
  port: Number(values.port),
  host: values.host,
  folder: values.data,
  systemEventEvery: Number(values['system-events']),
})
say({ listening: true, host: double.host, port: double.port, connectionString: double.connectionString })

const lines = createInterface({ input: process.stdin })
lines.on('line', async (line) => {
  try {
    say({ ok: true, answer: await obey(double, JSON.parse(line)) })
  } catch (error) {
    say({ ok: false, error: String(error?.message ?? error) })
  }
})

const end = async () => {
  lines.close()
  await double.stop()
  process.exit(0)
}
if (values['with-parent']) process.stdin.once('end', end)
process.once('SIGTERM', end)
process.once('SIGINT', end)
