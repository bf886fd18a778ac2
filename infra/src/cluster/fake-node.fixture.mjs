// Stands in for a node where only its life and death matter: ready after a moment, ends when it is asked to.
// What it was asked is appended to the file that FAKE_NODE_LOG names. FAKE_NODE=broken|stubborn|noisy.
import { appendFileSync } from 'node:fs'
import { createServer } from 'node:http'

const { ALMANAC_NODE: name, ALMANAC_OPERATIONS_PORT: port, FAKE_NODE, FAKE_NODE_LOG } = process.env
const tell = (what) => FAKE_NODE_LOG && appendFileSync(FAKE_NODE_LOG, `${what} ${name}\n`)

if (FAKE_NODE === 'broken') {
  process.stderr.write('Kafka cannot be reached\n')
  process.exit(3)
}
const began = performance.now()
const server = createServer((_request, answer) => {
  answer.statusCode = performance.now() - began > 200 ? 200 : 503
  answer.end()
})
server.listen(Number(port), '127.0.0.1', () => tell('start'))
if (FAKE_NODE === 'noisy') process.stderr.write('a warning of a node\n')
process.on('SIGTERM', () => {
  tell('stop')
  if (FAKE_NODE !== 'stubborn') process.exit(0)
})
