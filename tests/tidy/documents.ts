import { posix } from 'node:path'
import type { Node } from 'oxc-parser'
import { isSource } from './places.js'
import { type Code, type Repository, type Rule, type TextFile, type Violation, walk } from './repository.js'

const registryPath = 'packages/protocol/src/problem-codes.ts'
const errorsPath = 'docs/reference/errors.md'

/** Who gets a code looks it up: each is on the page, and the page has no other. */
export const documentedCodes: Rule = (repository) => {
  const registry = repository.code.find(({ path }) => path === registryPath)
  if (registry === undefined) return []
  const page = repository.file(errorsPath)?.text ?? ''
  const codes = keysOf(registry, 'problemCodes')
  const listed = [...page.matchAll(/^(?:\||#+) *`([a-z0-9_]+)`/gm)].map(([, code]) => code ?? '')
  return [
    ...(codes.length === 0 ? [{ path: registryPath, line: 1, message: 'no codes found' }] : []),
    ...codes
      .filter((code) => !listed.includes(code))
      .map((code) => ({ path: errorsPath, line: 1, message: `${code} is not in the page` })),
    ...listed
      .filter((code) => !codes.includes(code))
      .map((code) => ({ path: errorsPath, line: 1, message: `${code} is no code of ${registryPath}` })),
  ]
}

function keysOf(code: Code, variable: string): readonly string[] {
  const keys: string[] = []
  walk(code.program, (node) => {
    if (node.type !== 'VariableDeclarator' || node.id.type !== 'Identifier') return
    const object = node.id.name === variable && node.init ? unwrapped(node.init) : undefined
    if (object?.type !== 'ObjectExpression') return
    for (const property of object.properties) {
      if (property.type !== 'Property') continue
      if (property.key.type === 'Identifier') keys.push(property.key.name)
      if (property.key.type === 'Literal') keys.push(String(property.key.value))
    }
  })
  return keys
}

/** `{ … } as const satisfies T` -> `{ … }` */
function unwrapped(node: Node): Node {
  const wrapped = node.type === 'TSAsExpression' || node.type === 'TSSatisfiesExpression'
  return wrapped ? unwrapped(node.expression) : node
}

/** Options are what somebody sets who runs a node or a service: effect, unit, default and limit are told at each. */
export const documentedOptions: Rule = ({ code }) =>
  code.filter(({ path }) => isSource(path)).flatMap((file) => undocumentedOptions(file))

const optionsName = /^NodeOptions$|(Config|Settings)$/

function undocumentedOptions(code: Code): readonly Violation[] {
  const found: Violation[] = []
  const documented = new Set(
    code.comments
      .filter(({ type, value }) => type === 'Block' && value.startsWith('*'))
      .map(({ end }) => end + (/^\s*/.exec(code.text.slice(end))?.[0].length ?? 0)),
  )
  walk(code.program, (node) => {
    if (node.type !== 'TSInterfaceDeclaration' || !optionsName.test(node.id.name)) return
    for (const member of node.body.body) {
      if (member.type !== 'TSPropertySignature' || documented.has(member.start)) continue
      const name = 'name' in member.key ? String(member.key.name) : 'a property'
      const message = `${node.id.name}.${name} has no doc comment`
      found.push({ path: code.path, line: code.lineOf(member.start), message })
    }
  })
  return found
}

const markdownOf = ({ files }: Repository): readonly TextFile[] =>
  files.filter(({ path }) => path.endsWith('.md'))

/** The text with fenced blocks and inline code emptied, line for line. */
function prose(text: string): readonly string[] {
  let fence: string | undefined
  return text.split('\n').map((line) => {
    const mark = /^\s*(```+|~~~+)/.exec(line)?.[1]
    if (mark !== undefined && (fence === undefined || line.trim() === fence)) {
      fence = fence === undefined ? mark : undefined
      return ''
    }
    return fence === undefined ? line.replace(/`[^`]*`/g, '') : ''
  })
}

export const oneTitle: Rule = (repository) =>
  markdownOf(repository).flatMap(({ path, text }) => {
    const titles = prose(text).filter((line) => /^# /.test(line)).length
    return titles === 1 ? [] : [{ path, line: 1, message: `${titles} titles (#), not one` }]
  })

/** Links to files of this repository, and to headings in them. Links to the web are not followed. */
export const liveLinks: Rule = (repository) => {
  const folders = new Set(repository.files.flatMap(({ path }) => foldersAbove(path)))
  return markdownOf(repository).flatMap(({ path, text }) =>
    prose(text).flatMap((line, index) =>
      [...line.matchAll(/\]\(\s*<?([^)>\s]+)>?[^)]*\)/g)].flatMap(([, target = '']) => {
        const message = deadLink(repository, folders, path, target)
        return message === undefined ? [] : [{ path, line: index + 1, message }]
      }),
    ),
  )
}

function deadLink(
  repository: Repository,
  folders: ReadonlySet<string>,
  from: string,
  target: string,
): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return undefined
  const [place = '', heading] = target.split('#', 2)
  const path = place === '' ? from : posix.join(posix.dirname(from), decodeURI(place)).replace(/\/$/, '')
  const file = repository.file(path)
  if (file === undefined) return folders.has(path) ? undefined : `dead link: ${target}`
  if (heading === undefined || !path.endsWith('.md')) return undefined
  return headingsOf(file).has(heading) ? undefined : `no such heading: ${target}`
}

const foldersAbove = (path: string): readonly string[] =>
  path.split('/').map((_, depth, parts) => parts.slice(0, depth).join('/') || '.')

/** Names of the headings as GitHub makes them. */
function headingsOf({ text }: TextFile): ReadonlySet<string> {
  const names = prose(text.replace(/`/g, ''))
    .filter((line) => /^#{1,6} /.test(line))
    .map((line) => line.replace(/^#+ /, '').trim().toLowerCase())
  return new Set(names.map((name) => name.replace(/[^\p{L}\p{N} _-]/gu, '').replace(/ /g, '-')))
}

/** 0001, 0002, …: a missing number would look like a decision that was taken away. */
export const numberedDecisions: Rule = ({ files }) => {
  const records = files.map(({ path }) => path).filter((path) => path.startsWith('docs/adr/'))
  const unnamed = records.filter((path) => !/^docs\/adr\/\d{4}-[a-z0-9-]+\.md$/.test(path))
  const numbered = records.filter((path) => !unnamed.includes(path)).sort()
  return [
    ...unnamed.map((path) => ({ path, line: 1, message: 'not named like 0007-what-was-decided.md' })),
    ...numbered.flatMap((path, index) => {
      const expected = String(index + 1).padStart(4, '0')
      const actual = path.slice('docs/adr/'.length, 'docs/adr/'.length + 4)
      const message = `number ${actual} where ${expected} is next: a gap, or a number twice`
      return actual === expected ? [] : [{ path, line: 1, message }]
    }),
  ]
}
