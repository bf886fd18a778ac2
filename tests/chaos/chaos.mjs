// Compiles the harness, then runs it: see `--help`. The packages themselves have to be built.
import { execFileSync, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
execFileSync(process.execPath, [here('../../node_modules/typescript/bin/tsc'), '-p', here('tsconfig.json')], {
  stdio: 'inherit',
})
// A long run's history is judged in memory.
const child = spawn(
  process.execPath,
  ['--max-old-space-size=8192', '--enable-source-maps', here('dist/main.js'), ...process.argv.slice(2)],
  { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] },
)
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('exit', (code) => {
  process.exitCode = code ?? 1
})
