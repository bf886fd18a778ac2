/** A reader of PromQL, as far as boards and alerts of this repository use it. */

interface Matcher {
  readonly label: string
  readonly operator: string
  readonly value: string
}

export type Expression =
  | { readonly kind: 'number' | 'string'; readonly text: string }
  | {
      readonly kind: 'selector'
      readonly metric: string
      readonly matchers: readonly Matcher[]
      /** `[5m]`; undefined: an instant vector. */
      readonly range: string | undefined
    }
  | {
      readonly kind: 'call'
      readonly name: string
      readonly args: readonly Expression[]
      /** Labels of `by` or `without`. */
      readonly grouping: readonly string[]
    }
  | { readonly kind: 'binary'; readonly operator: string; readonly sides: readonly [Expression, Expression] }

const tokenForm = new RegExp(
  [
    /\s+/,
    /(?<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')/,
    /(?<range>\[(?:\d+[smhd]|\$__rate_interval)\])/,
    /(?<number>\d+(?:\.\d+)?(?:e-?\d+)?)/,
    /(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)/,
    /(?<sign>=~|!~|!=|==|>=|<=|[-+*/^%<>=(){},])/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'gy',
)

interface Token {
  readonly kind: 'string' | 'range' | 'number' | 'name' | 'sign' | 'end'
  readonly text: string
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  tokenForm.lastIndex = 0
  for (let at = 0; at < text.length; at = tokenForm.lastIndex) {
    const match = tokenForm.exec(text)
    if (match === null) throw new Error(`not understood from "${text.slice(at, at + 20)}" on`)
    for (const [kind, part] of Object.entries(match.groups ?? {})) {
      if (part !== undefined) tokens.push({ kind: kind as Token['kind'], text: part })
    }
  }
  return tokens
}

const aggregations = ['sum', 'min', 'max', 'avg', 'count', 'topk']
const functions = ['rate', 'increase', 'changes', 'histogram_quantile', 'abs', 'absent']
const words = ['and', 'or', 'unless']
const signs = ['+', '-', '*', '/', '%', '^', '==', '!=', '<', '>', '<=', '>=']

class Reader {
  private readonly tokens: Token[]
  private at = 0

  constructor(text: string) {
    this.tokens = tokensOf(text)
  }

  private get next(): Token {
    return this.tokens[this.at] ?? { kind: 'end', text: 'the end' }
  }

  private take(text?: string): string {
    const token = this.next
    if (token.kind === 'end' || (text !== undefined && token.text !== text)) {
      throw new Error(`${text ?? 'something'} was expected, not ${token.text}`)
    }
    this.at += 1
    return token.text
  }

  whole(): Expression {
    const expression = this.expression()
    if (this.next.kind !== 'end') throw new Error(`nothing was expected, not ${this.next.text}`)
    return expression
  }

  /** Which operators bind closer makes no difference to what is checked. */
  private expression(): Expression {
    let left = this.operand()
    while (words.includes(this.next.text) || signs.includes(this.next.text)) {
      const operator = this.take()
      left = { kind: 'binary', operator, sides: [left, this.operand()] }
    }
    return left
  }

  private isAt(text: string): boolean {
    return this.next.text === text
  }

  private operand(): Expression {
    const { kind, text } = this.next
    if (text === '(') {
      this.take('(')
      const inner = this.expression()
      this.take(')')
      return inner
    }
    if (kind === 'number' || kind === 'string') return { kind, text: this.take() }
    if (kind !== 'name') throw new Error(`${text} is no operand`)
    this.take()
    if (aggregations.includes(text) || functions.includes(text)) return this.call(text)
    if (this.isAt('(')) throw new Error(`${text} is no function that is known`)
    return this.selector(text)
  }

  private call(name: string): Expression {
    const mayGroup = aggregations.includes(name)
    let grouping = mayGroup ? this.grouping() : []
    const args: Expression[] = []
    this.take('(')
    while (!this.isAt(')')) {
      args.push(this.expression())
      if (!this.isAt(')')) this.take(',')
    }
    this.take(')')
    if (mayGroup && grouping.length === 0) grouping = this.grouping()
    return { kind: 'call', name, args, grouping }
  }

  private grouping(): readonly string[] {
    if (!this.isAt('by') && !this.isAt('without')) return []
    this.take()
    this.take('(')
    const labels: string[] = []
    while (!this.isAt(')')) {
      labels.push(this.take())
      if (!this.isAt(')')) this.take(',')
    }
    this.take(')')
    return labels
  }

  private selector(metric: string): Expression {
    const matchers: Matcher[] = []
    if (this.isAt('{')) {
      this.take('{')
      while (!this.isAt('}')) {
        const label = this.take()
        const operator = this.take()
        if (!['=', '!=', '=~', '!~'].includes(operator)) throw new Error(`${operator} matches nothing`)
        if (this.next.kind !== 'string') throw new Error(`${this.next.text} is no text`)
        matchers.push({ label, operator, value: this.take().slice(1, -1) })
        if (!this.isAt('}')) this.take(',')
      }
      this.take('}')
    }
    const range = this.next.kind === 'range' ? this.take() : undefined
    return { kind: 'selector', metric, matchers, range }
  }
}

/** Throws at what it does not understand. */
export const parsePromql = (text: string): Expression => new Reader(text).whole()
