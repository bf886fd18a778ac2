import type { Node } from 'oxc-parser'
import { isBrowser, isSource } from './places.js'
import { type Code, type Rule, type Violation, walk } from './repository.js'

/**
 * Time, chance and timers come through ports, so that a simulation can give them. Adapters are where the ports
 * are made, and the client's platform is a port of another program's; `bin/`, benches, examples, tests, and the
 * servers that tests talk to are outside of the program that is simulated.
 */
export const worldOnlyInAdapters: Rule = ({ code }) =>
  code
    .filter(({ path }) => isSource(path) && !isBrowser(path))
    .filter(({ path }) => !/^packages\/(adapters|eventstore-double)\//.test(path))
    .filter(({ path }) => path !== 'packages/client/src/platform.ts')
    .flatMap((file) => findings(file, (node, parent) => exempt(file, worldOf(node, parent))))

/**
 * The simulator's world waits for one real macrotask, so that Node tells of the rejections that nobody handled. It
 * decides nothing: time, waits and chance in the world come from the seed.
 */
const exemptions: Readonly<Record<string, string>> = {
  'packages/simulator/src/world/turns.ts': 'setImmediate',
}

const exempt = ({ path }: Code, found: string | undefined): string | undefined =>
  found === exemptions[path] ? undefined : found

/** Zone rules are read in recurrence, and shown to people by the command line. */
export const intlInItsPlaces: Rule = ({ code }) =>
  code
    .filter(({ path }) => isSource(path) && !isBrowser(path))
    .filter(({ path }) => !/^packages\/(recurrence|cli)\//.test(path))
    .flatMap((file) =>
      findings(file, (node, parent) =>
        node.type === 'Identifier' && node.name === 'Intl' && isReference(node, parent) ? 'Intl' : undefined,
      ),
    )

function findings(
  code: Code,
  find: (node: Node, parent: Node | undefined) => string | undefined,
): readonly Violation[] {
  const found: Violation[] = []
  walk(code.program, (node, parents) => {
    const message = find(node, parents.at(-1))
    if (message !== undefined) found.push({ path: code.path, line: code.lineOf(node.start), message })
  })
  return found
}

const globals = new Set(['setTimeout', 'setInterval', 'setImmediate', 'performance'])
const members = new Set([
  'Date.now',
  'Math.random',
  'process.hrtime',
  'process.uptime',
  'crypto.randomUUID',
  'crypto.getRandomValues',
])
const modules = /^(node:)?(timers|timers\/promises|perf_hooks)$/
const randomNames = /^(random\w*|getRandomValues|webcrypto)$/

function worldOf(node: Node, parent: Node | undefined): string | undefined {
  switch (node.type) {
    case 'Identifier':
      return globals.has(node.name) && isReference(node, parent) ? node.name : undefined
    case 'MemberExpression':
      return memberOf(node)
    case 'NewExpression':
      return isDate(node.callee) && node.arguments.length === 0 ? 'new Date()' : undefined
    case 'CallExpression':
      return isDate(node.callee) ? 'Date()' : undefined
    case 'ImportDeclaration':
      return importedWorld(node)
    default:
      return undefined
  }
}

const isDate = (callee: Node): boolean => callee.type === 'Identifier' && callee.name === 'Date'

function memberOf(node: Node & { type: 'MemberExpression' }): string | undefined {
  if (node.property.type !== 'Identifier' || node.computed) return undefined
  const object = node.object.type === 'Identifier' ? node.object.name : undefined
  const name = node.property.name
  if (object === 'globalThis' && globals.has(name)) return `globalThis.${name}`
  return object !== undefined && members.has(`${object}.${name}`) ? `${object}.${name}` : undefined
}

function importedWorld(node: Node & { type: 'ImportDeclaration' }): string | undefined {
  const from = node.source.value
  if (modules.test(from)) return `import from ${from}`
  if (!/^(node:)?crypto$/.test(from)) return undefined
  for (const specifier of node.specifiers) {
    if (specifier.type !== 'ImportSpecifier') continue
    const name = 'name' in specifier.imported ? specifier.imported.name : specifier.imported.value
    if (randomNames.test(name)) return `import { ${name} } from ${from}`
  }
  return undefined
}

/** Not the name of a property, a method or a type's field. */
function isReference(node: Node, parent: Node | undefined): boolean {
  if (parent === undefined) return true
  if (parent.type === 'MemberExpression') return parent.object === node || parent.computed
  if (parent.type === 'Property') return parent.value === node
  return !(
    parent.type === 'MethodDefinition' ||
    parent.type === 'PropertyDefinition' ||
    parent.type === 'TSPropertySignature' ||
    parent.type === 'TSMethodSignature' ||
    parent.type === 'ImportSpecifier'
  )
}
