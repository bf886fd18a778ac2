import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

// Goal: pure packages can not reach the world, whatever a dependency's types bring along. Method: code that does
// is planted beside the package's own sources and compiled with the package's own options; each planted file must
// have an error, and a plain one must have none.

const root = fileURLToPath(new URL('../../', import.meta.url))

const reaching: Readonly<Record<string, string>> = {
  setTimeout: 'setTimeout(() => {}, 1)',
  setInterval: 'setInterval(() => {}, 1)',
  queueMicrotask: 'queueMicrotask(() => {})',
  console: "console.log('x')",
  process: 'export const pid = process.pid',
  fetch: "export const page = fetch('https://example.test')",
  crypto: 'export const id = crypto.randomUUID()',
  performance: 'export const now = performance.now()',
  AbortSignal: 'export const signal = AbortSignal.timeout(1)',
  structuredClone: 'export const copy = structuredClone({})',
  Buffer: "export const bytes = Buffer.from('x')",
  URL: "export const url = new URL('https://example.test')",
  document: 'export const title = document.title',
  'node-fs': "import { readFileSync } from 'node:fs'\nexport const read = readFileSync",
  'node-timers': "import { setTimeout as sleep } from 'node:timers/promises'\nexport const wait = sleep",
}

const plain =
  'export const sum = (a: number, b: number): number => Math.max(a, b)\nexport const at = new Date(0)\n'

describe.each(['recurrence', 'domain', 'engine', 'protocol'])('%s', (name) => {
  let folder: string
  let errors: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'almanac-walls-'))
    await plant(folder)
    errors = await compile(name, folder)
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it.each(Object.keys(reaching))('does not compile with %s', (planted) => {
    expect(errors).toMatch(
      new RegExp(`${planted}\\.ts\\(\\d+,\\d+\\): error TS(2304|2307|2339|2552|258\\d|2591)\\b`),
    )
  })

  it('compiles with what the language itself has', () => {
    expect(errors).not.toContain('plain.ts')
  })
})

async function plant(folder: string): Promise<void> {
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  for (const [name, text] of Object.entries({ ...reaching, plain })) {
    await writeFile(join(folder, `${name}.ts`), `${text}\nexport {}\n`)
  }
}

/** What tsc says to the package's sources together with the planted files. */
async function compile(name: string, folder: string): Promise<string> {
  const sources = join(root, 'packages', name)
  const config = {
    extends: join(sources, 'tsconfig.json'),
    compilerOptions: {
      composite: false,
      noEmit: true,
      rootDir: '/',
      tsBuildInfoFile: null,
      customConditions: ['almanac-source'],
    },
    include: [join(sources, 'src'), folder],
    exclude: ['spec', 'bench', 'contract', 'spec-support'].map((kind) =>
      join(sources, `src/**/*.${kind}.ts`),
    ),
    references: [],
  }
  const path = join(folder, 'tsconfig.json')
  await writeFile(path, JSON.stringify(config))
  return new Promise((resolve) => {
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    execFile(
      process.execPath,
      [tsc, '--pretty', 'false', '-p', path],
      { cwd: root },
      (_, output, complaints) => resolve(output + complaints),
    )
  })
}
