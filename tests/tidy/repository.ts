import { type Comment, type Node, type Program, parseSync, visitorKeys } from 'oxc-parser'

/** A tracked file: its path from the root of the repository, with `/`, and its text. */
export interface TextFile {
  readonly path: string
  readonly text: string
}

/** One import of another file or package, by `import`, `export from`, `import()`, `import type` or `new URL`. */
export interface Import {
  readonly specifier: string
  readonly line: number
}

/** A parsed source file. */
export interface Code extends TextFile {
  readonly program: Program
  readonly comments: readonly Comment[]
  readonly imports: readonly Import[]
  /** 1 is the first line. */
  lineOf(offset: number): number
}

/** What every rule gets: all that it may look at, read beforehand. */
export interface Repository {
  readonly files: readonly TextFile[]
  readonly code: readonly Code[]
  file(path: string): TextFile | undefined
}

export interface Violation {
  readonly path: string
  readonly line: number
  readonly message: string
}

/** Files in, violations out; nothing else is read. */
export type Rule = (repository: Repository) => readonly Violation[]

export function repositoryOf(files: readonly TextFile[]): Repository {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const code = files.filter((file) => isCode(file.path)).map(parseCode)
  return { files, code, file: (path) => byPath.get(path) }
}

const isCode = (path: string): boolean => /\.[cm]?[jt]sx?$/.test(path)

/** Throws when the text does not parse: no rule could be trusted on it. */
function parseCode(file: TextFile): Code {
  const { program, comments, errors } = parseSync(file.path, file.text)
  const [error] = errors
  if (error !== undefined) throw new Error(`${file.path} does not parse: ${error.message}`)
  const starts = lineStarts(file.text)
  const lineOf = (offset: number) => lineAt(starts, offset)
  return { ...file, program, comments, lineOf, imports: importsOf(program, lineOf) }
}

/** Calls back for the node and everything below it; `parents` has the innermost last. */
export function walk(
  node: Node,
  visit: (node: Node, parents: readonly Node[]) => void,
  parents: Node[] = [],
): void {
  visit(node, parents)
  parents.push(node)
  for (const key of visitorKeys[node.type] ?? []) {
    const child = (node as unknown as Record<string, Node | (Node | null)[] | null | undefined>)[key]
    for (const below of Array.isArray(child) ? child : [child]) {
      if (below) walk(below, visit, parents)
    }
  }
  parents.pop()
}

function importsOf(program: Program, lineOf: (offset: number) => number): readonly Import[] {
  const found: Import[] = []
  walk(program, (node) => {
    const specifier = specifierOf(node)
    if (specifier !== undefined) found.push({ specifier, line: lineOf(node.start) })
  })
  return found
}

function specifierOf(node: Node): string | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ExportNamedDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return textOf(node.source)
    case 'CallExpression': {
      // `import.meta.resolve('a-package')`
      const { callee } = node
      const isResolve = callee.type === 'MemberExpression' && callee.object.type === 'MetaProperty'
      return isResolve ? textOf(node.arguments[0]) : undefined
    }
    case 'NewExpression': {
      const [first] = node.arguments
      const isUrl = node.callee.type === 'Identifier' && node.callee.name === 'URL'
      const text = isUrl ? textOf(first) : undefined
      return text?.startsWith('.') ? text : undefined
    }
    default:
      return undefined
  }
}

const textOf = (node: Node | null | undefined): string | undefined =>
  node?.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined

function lineStarts(text: string): readonly number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

function lineAt(starts: readonly number[], offset: number): number {
  let low = 0
  let high = starts.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((starts[middle] ?? Number.POSITIVE_INFINITY) <= offset) low = middle + 1
    else high = middle
  }
  return low
}
