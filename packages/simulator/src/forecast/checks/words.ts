/** A word of a check, as it was written. */
export interface Word {
  readonly text: string
  /** Column, from 1. */
  readonly column: number
  readonly quoted: boolean
}

/** Where a check cannot be read, and why. */
export class CheckFault extends Error {
  override readonly name = 'CheckFault'
  /** From 1. */
  readonly column: number

  constructor(column: number, message: string) {
    super(message)
    this.column = column
  }
}

const form = /\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+)|(["']))/gy

/** The words of a check one by one; what stands in quotes is one word. Throws `CheckFault`. */
export class Words {
  private readonly words: readonly Word[]
  private readonly end: number
  private next = 0

  constructor(text: string) {
    this.words = wordsOf(text)
    this.end = text.trimEnd().length + 1
  }

  get done(): boolean {
    return this.next >= this.words.length
  }

  peek(ahead = 0): Word | undefined {
    return this.words[this.next + ahead]
  }

  take(expected: string): Word {
    const word = this.peek()
    if (word === undefined) throw new CheckFault(this.end, `expected ${expected}, but the check ends here`)
    this.next += 1
    return word
  }

  /** Takes the words when all of them come next. */
  accept(...texts: readonly string[]): boolean {
    const isNext = texts.every((text, ahead) => is(this.peek(ahead), text))
    if (isNext) this.next += texts.length
    return isNext
  }

  expect(...texts: readonly string[]): void {
    for (const text of texts) {
      const word = this.take(`"${text}"`)
      if (!is(word, text)) throw new CheckFault(word.column, `expected "${text}", not "${word.text}"`)
    }
  }

  /** Nothing may follow. */
  finish(): void {
    const word = this.peek()
    if (word !== undefined) throw new CheckFault(word.column, `does not know what "${word.text}" means here`)
  }
}

const is = (word: Word | undefined, text: string): boolean =>
  word !== undefined && !word.quoted && word.text.toLowerCase() === text

function wordsOf(text: string): readonly Word[] {
  const words: Word[] = []
  const trimmed = text.trimEnd()
  form.lastIndex = 0
  for (let found = form.exec(trimmed); found !== null; found = form.exec(trimmed)) {
    const [whole, double, single, bare, open] = found
    const column = found.index + whole.length - whole.trimStart().length + 1
    if (open !== undefined) throw new CheckFault(column, `the quotation mark ${open} is not closed`)
    words.push({ text: bare ?? double ?? single ?? '', column, quoted: bare === undefined })
  }
  return words
}
