import { describe, expect, it } from 'vitest'
import { type Repository, repositoryOf, type Violation } from './repository.js'
import { rules } from './rules.js'

// Goal: each rule catches what it is there for, and nothing else. Method: small repositories, made up here; a
// rule without a planted violation, or without a text that it lets pass, does not compile.

type Files = Readonly<Record<string, string>>

interface Fixture {
  /** Planted violations, each with a piece of the message that must come, once. */
  readonly caught: readonly (readonly [message: string, files: Files])[]
  readonly passes: readonly Files[]
}

const made = (files: Files): Repository =>
  repositoryOf(Object.entries(files).map(([path, text]) => ({ path, text })))

const lines = (count: number, line = 'x()') => `${Array.from({ length: count }, () => line).join('\n')}\n`

const manifest = (name: string, more: object = {}) =>
  JSON.stringify({ name: `@almanac/${name}`, engines: { node: '>=20.19' }, ...more }, null, 2)

const index = { exports: { '.': { 'almanac-source': './src/index.ts' } } }

const domain = 'packages/domain/src/a.ts'

const size = {
  'a function has at most 70 lines': {
    caught: [
      ['long has 71 lines', { [domain]: `export function long() {\n${lines(69)}}\n` }],
      ['long has 71 lines', { [domain]: `const long = () => {\n${lines(69)}}\n` }],
      ['long has 71 lines', { [domain]: `class A {\n  long() {\n${lines(69)}}\n}\n` }],
      ['a function has 71', { [domain]: `describe('x', () => {\n${lines(69)}})\n` }],
      ['a function has 71', { 'packages/domain/src/a.spec.ts': `it('x', () => {\n${lines(69)}})\n` }],
    ],
    passes: [
      { [domain]: `export function long() {\n${lines(68)}}\n` },
      { [domain]: `class Long {\n${lines(100, '  m() {}')}}\n` },
      {
        'packages/domain/src/a.spec.ts': `describe('x', () => {\n${lines(90, "it.each([1])('y', () => {})")}})\n`,
      },
    ],
  },
  'a source file has at most 400 lines, a suite 800': {
    caught: [
      ['401 lines, at most 400', { [domain]: lines(401) }],
      ['801 lines, at most 800', { 'packages/domain/src/a.spec.ts': lines(801) }],
      ['401 lines, at most 400', { 'tests/tidy/a.ts': lines(401) }],
      ['401 lines, at most 400', { 'packages/client/src/client.ts': lines(401) }],
    ],
    passes: [
      { 'packages/client/src/api.ts': lines(2000) },
      { [domain]: lines(400), 'packages/engine/src/ports/a.contract.ts': lines(800) },
      { 'packages/domain/data.json': lines(2000), 'README.md': lines(2000) },
    ],
  },
  'a line of code has at most 120 columns': {
    caught: [['121 columns', { [domain]: `// ${'a'.repeat(118)}\n` }]],
    passes: [
      { [domain]: `// ${'a'.repeat(117)}\n// ${'\u{1F4C5}'.repeat(117)}\n` },
      { 'packages/client/src/api.ts': `// ${'a'.repeat(200)}\n` },
      { 'README.md': 'a'.repeat(500) },
    ],
  },
  'no file or folder is a bucket': {
    caught: [
      ['utils is a bucket', { 'packages/domain/src/utils.ts': '' }],
      ['date-helpers is a bucket', { 'packages/domain/src/date-helpers.ts': '' }],
      ['folder common/', { 'packages/domain/src/common/a.ts': '' }],
      ['folder types/', { 'packages/domain/src/types/task.ts': '' }],
      ['interfaces is a bucket', { 'packages/domain/src/interfaces.ts': '' }],
    ],
    passes: [{ 'packages/domain/src/task/types.ts': '', 'packages/domain/src/utility-price.ts': '' }],
  },
} satisfies Partial<Record<keyof typeof rules, Fixture>>

const graph = {
  'no file and no package imports itself in a circle': {
    caught: [
      [
        'a.ts -> b.ts -> a.ts',
        { [domain]: "import './b.js'", 'packages/domain/src/b.ts': "export * from './a.js'" },
      ],
      [
        'a.ts -> b.ts -> c.ts -> a.ts',
        {
          [domain]: "import type { B } from './b.js'",
          'packages/domain/src/b.ts': "export type B = import('./c.js').C",
          'packages/domain/src/c.ts': "export const late = () => import('./a.js')",
        },
      ],
      [
        '@almanac/a -> @almanac/b -> @almanac/a',
        {
          'packages/a/package.json': manifest('a', { dependencies: { '@almanac/b': '0.1.0' } }),
          'packages/b/package.json': manifest('b', { devDependencies: { '@almanac/a': '0.1.0' } }),
        },
      ],
    ],
    passes: [
      {
        [domain]: "import './b.js'\nimport './c.js'",
        'packages/domain/src/b.ts': "import './c.js'",
        'packages/domain/src/c.ts': '',
      },
    ],
  },
  'packages depend on each other as DESIGN.md says': {
    caught: [
      [
        'domain may not depend on @almanac/engine',
        {
          'packages/domain/package.json': manifest('domain'),
          [domain]: "import { a } from '@almanac/engine'",
        },
      ],
      [
        'recurrence may not depend on @almanac/domain',
        {
          'packages/recurrence/package.json': manifest('recurrence', {
            devDependencies: { '@almanac/domain': '0.1.0' },
          }),
        },
      ],
      [
        'engine may not depend on @almanac/protocol',
        {
          'packages/engine/package.json': manifest('engine'),
          'packages/engine/src/a.ts': "export type A = import('@almanac/protocol').A",
        },
      ],
      [
        'standalone may not depend on @almanac/simulator',
        {
          'services/standalone/package.json': manifest('standalone'),
          'services/standalone/src/a.ts': "await import('@almanac/simulator/seed')",
        },
      ],
      [
        'leads out of the package',
        {
          'packages/engine/package.json': manifest('engine'),
          'packages/engine/src/a.ts': "import '../../domain/src/a.js'",
        },
      ],
      [
        'leads out of the package',
        {
          'packages/engine/package.json': manifest('engine'),
          'packages/engine/src/a.spec.ts': "import '../../domain/src/a.spec-support.js'",
        },
      ],
      [
        'leads out of the package',
        {
          'packages/engine/package.json': manifest('engine'),
          'packages/engine/src/a.ts': "new URL('../../../docs/a.md', import.meta.url)",
        },
      ],
      [
        'no row for @almanac/novel',
        {
          'packages/novel/package.json': manifest('novel', { dependencies: { '@almanac/domain': '0.1.0' } }),
        },
      ],
    ],
    passes: [
      {
        'packages/engine/package.json': manifest('engine', { dependencies: { '@almanac/domain': '0.1.0' } }),
        'packages/engine/src/a.ts': "import { a } from '@almanac/domain'\nimport './b.js'",
        'packages/engine/src/a.spec.ts': "new URL('../../../docs/a.md', import.meta.url)",
        'tests/a.spec.ts': "import '@almanac/simulator'",
      },
    ],
  },
  'project references tell the same as package.json': {
    caught: [
      [
        'no reference to packages/recurrence',
        {
          'packages/recurrence/package.json': manifest('recurrence'),
          'packages/domain/package.json': manifest('domain', {
            dependencies: { '@almanac/recurrence': '0.1.0' },
          }),
          'packages/domain/tsconfig.json': '{}',
        },
      ],
      [
        'packages/recurrence is not in packages/domain/package.json',
        {
          'packages/recurrence/package.json': manifest('recurrence'),
          'packages/domain/package.json': manifest('domain'),
          'packages/domain/tsconfig.json': '{ "references": [{ "path": "../recurrence" }] }',
        },
      ],
    ],
    passes: [
      {
        'packages/recurrence/package.json': manifest('recurrence'),
        'packages/domain/package.json': manifest('domain', {
          dependencies: { '@almanac/recurrence': '0.1.0', suncalc: '2.0.2' },
        }),
        'packages/domain/tsconfig.json': '{ "references": [{ "path": "../../packages/recurrence" }] }',
      },
    ],
  },
  'a build contains no test': {
    caught: [
      [
        'does not exclude packages/domain/src/a.fixture.ts',
        {
          'packages/domain/tsconfig.json': '{ "exclude": ["src/**/*.spec.ts"] }',
          'packages/domain/src/a.fixture.ts': '',
          'packages/domain/src/a.spec.ts': '',
        },
      ],
      [
        'does not exclude packages/domain/src/testing/a.ts',
        { 'packages/domain/tsconfig.json': '{}', 'packages/domain/src/testing/a.ts': '' },
      ],
    ],
    passes: [
      {
        'packages/domain/tsconfig.json':
          '{ "exclude": ["src/**/*.spec.ts", "src/testing", "src/**/*.contract.ts"] }',
        'packages/domain/src/a.spec.ts': '',
        'packages/domain/src/task/a.spec.ts': '',
        'packages/domain/src/task/a.contract.ts': '',
        'packages/domain/src/testing/deep/a.ts': '',
        'packages/domain/bench/a.ts': '',
        'packages/domain/src/a.fixture.mjs': '',
        [domain]: '',
      },
    ],
  },
  'every source is reached from an entry of its package': {
    caught: [
      [
        'nobody imports it',
        {
          'packages/domain/package.json': manifest('domain', index),
          'packages/domain/src/index.ts': '',
          [domain]: '',
        },
      ],
      [
        'only tests import it',
        {
          'packages/domain/package.json': manifest('domain', index),
          'packages/domain/src/index.ts': '',
          'packages/domain/src/a.spec.ts': "import './a.js'",
          [domain]: '',
        },
      ],
      ['is not there', { 'packages/domain/package.json': manifest('domain', index) }],
      ['no spec imports it', { 'packages/engine/src/ports/clock.contract.ts': '' }],
      [
        'shipped code imports it',
        {
          'packages/domain/package.json': manifest('domain', index),
          'packages/domain/src/index.ts': "import './a.spec-support.js'",
          'packages/domain/src/a.spec-support.ts': '',
        },
      ],
    ],
    passes: [
      {
        'packages/cli/package.json': manifest('cli'),
        'packages/cli/bin/almanac.js': "new URL('../dist/main.js', import.meta.url)",
        'packages/cli/src/main.ts': "const late = () => import('./late.js')",
        'packages/cli/src/late.ts': '',
      },
      {
        'packages/engine/package.json': manifest('engine', {
          exports: { './contracts/*': { 'almanac-source': './src/ports/*.contract.ts' } },
        }),
        'packages/engine/src/ports/clock.contract.ts': '',
        'packages/adapters/src/system/clock.spec.ts': "import '@almanac/engine/contracts/clock'",
      },
    ],
  },
} satisfies Partial<Record<keyof typeof rules, Fixture>>

const dependencies = {
  'what is imported is declared, what is declared is used': {
    caught: [
      [
        'suncalc is not in packages/domain/package.json',
        {
          'packages/domain/package.json': manifest('domain', { devDependencies: { suncalc: '2.0.2' } }),
          [domain]: "import sun from 'suncalc/moon'",
        },
      ],
      [
        'fast-check is not in packages/domain/package.json',
        {
          'package.json': manifest('repo', { devDependencies: { 'fast-check': '4.10.2' } }),
          'packages/domain/package.json': manifest('domain'),
          [domain]: "import 'fast-check'",
        },
      ],
      [
        'luxon is not used',
        { 'packages/domain/package.json': manifest('domain', { dependencies: { luxon: '3.7.2' } }) },
      ],
      [
        'turbo is not used',
        {
          'package.json': manifest('repo', {
            devDependencies: { turbo: '2.11.11' },
            scripts: { build: 'tsc' },
          }),
        },
      ],
    ],
    passes: [
      {
        'package.json': manifest('repo', {
          devDependencies: { 'fast-check': '4.10.2', turbo: '2.11.11', '@types/node': '20.19.43' },
          scripts: { build: 'turbo run build' },
        }),
        'packages/domain/package.json': manifest('domain', {
          dependencies: { suncalc: '2.0.2' },
          devDependencies: { '@types/suncalc': '1.9.2' },
        }),
        [domain]: "import 'node:fs'\nimport sun from 'suncalc'\nimport './b.js'",
        'packages/domain/src/a.spec.ts': "import 'fast-check'",
      },
    ],
  },
  'versions are pinned, and the floor of Node is the same everywhere': {
    caught: [
      [
        'luxon is not pinned: ^3.7.2',
        { 'package.json': manifest('repo', { dependencies: { luxon: '^3.7.2' } }) },
      ],
      ['luxon is not pinned: *', { 'package.json': manifest('repo', { devDependencies: { luxon: '*' } }) }],
      ['engines.node', { 'packages/domain/package.json': manifest('domain', { engines: { node: '>=22' } }) }],
    ],
    passes: [
      { 'package.json': manifest('repo', { dependencies: { redlock: '5.0.0-beta.2', luxon: '3.7.2' } }) },
    ],
  },
} satisfies Partial<Record<keyof typeof rules, Fixture>>

const content = {
  'unfinished work has the number of an issue': {
    caught: [
      ['without the number', { [domain]: '// TODO: later' }],
      ['without the number', { [domain]: '/**\n * Fine.\n * FIXME later\n */' }],
      ['without the number', { 'README.md': '# A\n\nTODO: write this' }],
    ],
    passes: [
      { [domain]: "// TODO(#12): later\nconst text = '// TODO: later'\n// todo lists are fine" },
      { 'README.md': '# A\n\nNo `TODO` without a number. FIXME #3' },
    ],
  },
  'time, chance and timers are reached in adapters only': {
    caught: [
      ['Date.now', { [domain]: 'const now = () => Date.now()' }],
      ['Date.now', { [domain]: 'const now = Date.now' }],
      ['new Date()', { [domain]: 'const now = new Date()' }],
      ['Date()', { [domain]: 'const now = Date()' }],
      ['performance', { [domain]: 'performance.now()' }],
      ['setTimeout', { 'services/api/src/a.ts': 'setTimeout(() => {}, 1)' }],
      ['setTimeout', { 'services/api/src/a.ts': 'const later = { setTimeout }' }],
      ['globalThis.setInterval', { [domain]: 'globalThis.setInterval(() => {}, 1)' }],
      ['Math.random', { [domain]: 'Math.random()' }],
      ['setTimeout', { 'packages/simulator/src/world/turns.ts': 'setTimeout(() => {}, 1)' }],
      ['setImmediate', { 'packages/simulator/src/world/world.ts': 'setImmediate(() => {})' }],
      ['process.hrtime', { 'packages/cli/src/a.ts': 'process.hrtime.bigint()' }],
      ['crypto.randomUUID', { [domain]: 'crypto.randomUUID()' }],
      ['import { randomBytes }', { 'services/api/src/a.ts': "import { randomBytes } from 'node:crypto'" }],
      [
        'node:timers/promises',
        { 'services/api/src/a.ts': "import { setTimeout as s } from 'node:timers/promises'" },
      ],
    ],
    passes: [
      { [domain]: 'new Date(0); Date.UTC(2026); clock.now(); server.setTimeout(1); // Date.now()' },
      { [domain]: "interface Options { setTimeout: number }\nconst text = 'Math.random()'" },
      { 'packages/adapters/src/system/clock.ts': 'Date.now(); setTimeout(() => {}, 1)' },
      { 'packages/domain/src/a.spec.ts': 'Date.now()', 'packages/cli/bin/almanac.js': 'Date.now()' },
      { 'services/api/src/page/page.js': 'setInterval(load, 1000)' },
      { 'packages/simulator/src/world/turns.ts': 'const macrotask = setImmediate' },
    ],
  },
  'Intl is used in recurrence and the command line only': {
    caught: [['Intl', { [domain]: "new Intl.DateTimeFormat('en')" }]],
    passes: [
      { 'packages/recurrence/src/zone.ts': "new Intl.DateTimeFormat('en')" },
      { 'packages/cli/src/time.ts': "new Intl.DateTimeFormat('en')", [domain]: '// Intl' },
    ],
  },
  'nothing tells the compiler or the linter to look away': {
    caught: [
      ['`any`', { [domain]: 'const a = b as any' }],
      ['`any`', { 'packages/domain/src/a.spec.ts': 'function f(x: any[]) {}' }],
      ['non-null', { [domain]: 'a!.b()' }],
      ['@ts-ignore', { [domain]: '// @ts-ignore' }],
      ['@ts-expect-error', { [domain]: '/* @ts-expect-error: no */' }],
      ['biome-ignore', { [domain]: '// biome-ignore lint: no' }],
    ],
    passes: [{ [domain]: "const any = 1\nconst text = '@ts-ignore'\nif (!a.b) c()\nlet d: string" }],
  },
  'no test is left out': {
    caught: [
      ['it.only', { 'a.spec.ts': "it.only('x', () => {})" }],
      ['describe.skip', { 'a.spec.ts': "describe.skip('x', () => {})" }],
      ['test.todo', { 'a.spec.ts': "test.todo('x')" }],
      ['it.skip', { 'a.spec.ts': "it.concurrent.skip.each([1])('x', () => {})" }],
    ],
    passes: [{ 'a.spec.ts': "it('x', () => { cursor.skip(3); list.only('a') })" }],
  },
} satisfies Partial<Record<keyof typeof rules, Fixture>>

const codes = 'packages/protocol/src/problem-codes.ts'
const page = 'docs/reference/errors.md'

const documents = {
  'every error code is in the reference': {
    caught: [
      [
        'not_found is not in the page',
        { [codes]: 'export const problemCodes = { not_found: {} } as const', [page]: '# Errors\n' },
      ],
      [
        'gone is no code',
        {
          [codes]: 'export const problemCodes = { not_found: {} } satisfies Kinds',
          [page]: '# Errors\n\n## `not_found`\n\n## `gone`\n',
        },
      ],
      ['no codes found', { [codes]: 'export const codes = {}', [page]: '# Errors\n' }],
    ],
    passes: [
      {
        [codes]: "export const problemCodes = { not_utf8: {}, 'invalid': {} } as const satisfies Kinds",
        [page]: '# Errors\n\n| code |\n|---|\n| `not_utf8` |\n| `invalid` |\n',
      },
    ],
  },
  'every option is documented': {
    caught: [
      [
        'NodeOptions.b has no',
        { [domain]: 'interface NodeOptions {\n  /** A. */\n  a: 1\n  readonly b: 2\n}' },
      ],
      [
        'ServerConfig.port has no',
        { [domain]: 'export interface ServerConfig {\n  // port\n  port: number\n}' },
      ],
    ],
    passes: [
      {
        [domain]:
          'interface NodeOptions {\n  /** A. */\n  readonly a: 1\n\n  /**\n   * B.\n   */\n  b?: 2\n}',
      },
      { [domain]: 'interface Task {\n  a: 1\n}' },
    ],
  },
  'a Markdown file has one title': {
    caught: [
      ['0 titles', { 'a.md': '## A\n' }],
      ['2 titles', { 'a.md': '# A\n\n# B\n' }],
      ['0 titles', { 'a.md': '```\n# A\n```\n' }],
    ],
    passes: [{ 'a.md': '# A\n\n```sh\n# a comment\n```\n\n## B\n' }],
  },
  'links between the documents lead somewhere': {
    caught: [
      ['dead link: b.md', { 'docs/a.md': '# A\n[b](b.md)', 'b.md': '# B' }],
      ['dead link: ../c/', { 'docs/a.md': '# A\n![b](../c/)' }],
      ['no such heading: b.md#gone', { 'docs/a.md': '# A\n[b](b.md#gone)', 'docs/b.md': '# B\n## Here' }],
      ['no such heading: #gone', { 'docs/a.md': '# A\n[b](#gone)' }],
    ],
    passes: [
      {
        'docs/a.md':
          '# A\n[b](../b.md#what-it-is-2-words) [a](#a) [folder](../docs) [web](https://a.test/b.md)\n`[c](d)`',
        'b.md': '# B\n## What it `is`: 2 words',
      },
    ],
  },
  'decisions are numbered without gaps': {
    caught: [
      ['number 0003 where 0002', { 'docs/adr/0001-a.md': '', 'docs/adr/0003-b.md': '' }],
      ['number 0001 where 0002', { 'docs/adr/0001-a.md': '', 'docs/adr/0001-b.md': '' }],
      ['not named like', { 'docs/adr/notes.md': '' }],
    ],
    passes: [{ 'docs/adr/0001-a.md': '', 'docs/adr/0002-b.md': '', 'docs/guide.md': '' }],
  },
} satisfies Partial<Record<keyof typeof rules, Fixture>>

const fixtures: Record<keyof typeof rules, Fixture> = {
  ...size,
  ...graph,
  ...dependencies,
  ...content,
  ...documents,
}

const told = (violations: readonly Violation[]) => violations.map(({ message }) => message)

describe.each(Object.entries(fixtures))('%s', (sentence, { caught, passes }) => {
  const rule = rules[sentence as keyof typeof rules]

  it.each(caught)('catches: %s', (message, files) => {
    expect(told(rule(made(files)))).toEqual([expect.stringContaining(message)])
  })

  it.each(passes.map((files) => [Object.keys(files).join(', '), files] as const))(
    'passes: %s',
    (_, files) => {
      expect(told(rule(made(files)))).toEqual([])
    },
  )
})

it('tells the line of what it found', () => {
  const repository = made({ [domain]: '\n\n  const now = () => Date.now()\n' })
  expect(rules['time, chance and timers are reached in adapters only'](repository)).toEqual([
    { path: domain, line: 3, message: 'Date.now' },
  ])
})

it('refuses a text that does not parse', () => {
  expect(() => made({ [domain]: 'const = 1' })).toThrow(/packages\/domain\/src\/a.ts does not parse/)
})
