import type { Node } from 'oxc-parser'
import { type Code, type Rule, type Violation, walk } from './repository.js'

/** What makes the compiler or the linter look away. */
export const noSilencers: Rule = ({ code }) =>
  code.flatMap((file) => [...silencingComments(file), ...silencingNodes(file)])

const silencing = /@ts-(ignore|expect-error|nocheck)|biome-ignore|eslint-disable|prettier-ignore/

const silencingComments = (code: Code): readonly Violation[] =>
  code.comments.flatMap(({ value, start }) => {
    const mark = silencing.exec(value)?.[0]
    return mark === undefined ? [] : [{ path: code.path, line: code.lineOf(start), message: mark }]
  })

function silencingNodes(code: Code): readonly Violation[] {
  const found: Violation[] = []
  walk(code.program, (node) => {
    const line = code.lineOf(node.start)
    if (node.type === 'TSAnyKeyword') found.push({ path: code.path, line, message: '`any`' })
    if (node.type === 'TSNonNullExpression') {
      found.push({ path: code.path, line: code.lineOf(node.end), message: 'a non-null assertion' })
    }
  })
  return found
}

/** A test that is left out, or that leaves the others out, makes the green mark a lie. */
export const noFocusedTests: Rule = ({ code }) =>
  code.flatMap((file) => {
    const found: Violation[] = []
    walk(file.program, (node) => {
      const name = focusOf(node)
      if (name !== undefined) found.push({ path: file.path, line: file.lineOf(node.start), message: name })
    })
    return found
  })

/** `it.skip` of `it.skip(...)`, `it.skip.each(...)(...)`, `describe.only(...)`. */
function focusOf(node: Node): string | undefined {
  if (node.type !== 'MemberExpression' || node.property.type !== 'Identifier') return undefined
  const { name } = node.property
  if (!/^(only|skip|todo|fails)$/.test(name)) return undefined
  const root = rootNameOf(node.object)
  return root !== undefined && /^(describe|it|test|suite|bench)$/.test(root) ? `${root}.${name}` : undefined
}

/** `it` of `it.concurrent.each` */
function rootNameOf(node: Node): string | undefined {
  if (node.type === 'MemberExpression') return rootNameOf(node.object)
  return node.type === 'Identifier' ? node.name : undefined
}

const mark = /\b(TODO|FIXME|XXX|HACK)\b/
const numberedMark = /\b(TODO|FIXME|XXX|HACK)\b[^\n]{0,20}#\d+/

/** Unfinished work is an issue; a mark in the text names it. */
export const numberedTodos: Rule = ({ code, files }) => [
  ...code.flatMap((file) =>
    file.comments.flatMap((comment) =>
      unnumbered(comment.value).map((line) => ({
        path: file.path,
        line: file.lineOf(comment.start) + line,
        message: 'unfinished work without the number of an issue (#12)',
      })),
    ),
  ),
  ...files
    .filter(({ path }) => path.endsWith('.md'))
    .flatMap(({ path, text }) =>
      unnumbered(text.replace(/`[^`\n]*`/g, '')).map((line) => ({
        path,
        line: line + 1,
        message: 'unfinished work without the number of an issue (#12)',
      })),
    ),
]

const unnumbered = (text: string): readonly number[] =>
  text.split('\n').flatMap((line, index) => (mark.test(line) && !numberedMark.test(line) ? [index] : []))
