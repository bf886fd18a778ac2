import { nodeWorld } from './node-world.js'
import { run } from './program.js'

// `almanac tasks list | head`: the reader has seen enough, which is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (fault: NodeJS.ErrnoException) => {
    if (fault.code === 'EPIPE') process.exit(0)
    throw fault
  })
}

// Not `process.exit`: what is still in the pipe has to be written first.
process.exitCode = await run(nodeWorld(process), process.argv.slice(2))
