import type { FieldProblem } from '../failure.js'

/** What is worth telling about a row that was taken: `code` is stable, `message` for people. */
export interface Note {
  readonly code: string
  readonly path: string
  readonly message: string
}

/** Collects what is told about one row. A row with a problem is refused, one with notes alone is taken. */
export class Findings {
  readonly problems: (FieldProblem & { readonly code: string })[] = []
  readonly notes: Note[] = []

  refuse(path: string, code: string, message: string): undefined {
    this.problems.push({ path, code, message })
    return undefined
  }

  note(path: string, code: string, message: string): void {
    this.notes.push({ path, code, message })
  }
}
