import type { Node } from 'oxc-parser'
import { isSuite } from './places.js'
import { type Code, type Rule, type Violation, walk } from './repository.js'

const maxFunctionLines = 70
const maxFileLines = 400
const maxSuiteLines = 800
const maxColumns = 120

/** Made by a program, read by no one. */
const isMade = (path: string): boolean => path === 'packages/client/src/api.ts'
const written = (code: readonly Code[]) => code.filter(({ path }) => !isMade(path))

export const fileLength: Rule = ({ code }) =>
  written(code).flatMap(({ path, text }) => {
    const lines = text.trimEnd().split('\n').length
    const limit = isSuite(path) ? maxSuiteLines : maxFileLines
    return lines > limit ? [{ path, line: limit, message: `${lines} lines, at most ${limit}` }] : []
  })

export const lineLength: Rule = ({ code }) =>
  written(code).flatMap(({ path, text }) =>
    text.split('\n').flatMap((content, index) => {
      const columns = [...content].length
      const message = `${columns} columns, at most ${maxColumns}`
      return columns > maxColumns ? [{ path, line: index + 1, message }] : []
    }),
  )

/** In a suite the lines of a `describe` or `it` count for its own callback, not for the function around it. */
export const functionLength: Rule = ({ code }) => code.flatMap(longFunctions)

function longFunctions(code: Code): readonly Violation[] {
  const found: Violation[] = []
  const suite = isSuite(code.path)
  walk(code.program, (node, parents) => {
    if (!isFunction(node)) return
    const lines = linesOf(code, node) - (suite ? nestedSuiteLines(code, node) : 0)
    if (lines <= maxFunctionLines) return
    const name = nameOf(node, parents.at(-1))
    const message = `${name} has ${lines} lines, at most ${maxFunctionLines}`
    found.push({ path: code.path, line: code.lineOf(node.start), message })
  })
  return found
}

const isFunction = (node: Node): boolean =>
  node.type === 'FunctionDeclaration' ||
  node.type === 'FunctionExpression' ||
  node.type === 'ArrowFunctionExpression'

const linesOf = (code: Code, node: Node): number => code.lineOf(node.end) - code.lineOf(node.start) + 1

function nestedSuiteLines(code: Code, outer: Node): number {
  let lines = 0
  let skipUntil = outer.start
  walk(outer, (node) => {
    if (node.start < skipUntil || !isSuiteCall(node)) return
    lines += linesOf(code, node)
    skipUntil = node.end
  })
  return lines
}

function isSuiteCall(node: Node): boolean {
  if (node.type !== 'CallExpression') return false
  let callee: Node = node.callee
  while (callee.type === 'MemberExpression' || callee.type === 'CallExpression') {
    callee = callee.type === 'MemberExpression' ? callee.object : callee.callee
  }
  return callee.type === 'Identifier' && /^(describe|it|test)$/.test(callee.name)
}

function nameOf(node: Node, parent: Node | undefined): string {
  if ('id' in node && node.id?.type === 'Identifier') return node.id.name
  if (parent?.type === 'VariableDeclarator' && parent.id.type === 'Identifier') return parent.id.name
  const named = parent?.type === 'MethodDefinition' || parent?.type === 'Property'
  if (named && 'name' in parent.key) return String(parent.key.name)
  return 'a function'
}
