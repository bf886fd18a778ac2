import { formatInstant, type Instant } from '@almanac/recurrence'

/** The text as it may stand in HTML, in quoted attributes too. */
export const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)

export const number = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',')

/** An instant as ISO 8601; what is no instant is shown as the number that it is. */
export function clock(at: Instant | null): string {
  if (at === null) return '–'
  return Number.isSafeInteger(at) && Math.abs(at) <= 8.64e15 ? formatInstant(at) : String(at)
}

export const duration = (ms: number): string =>
  ms < 1_000
    ? `${Math.ceil(ms)} ms`
    : ms < 60_000
      ? `${Math.round(ms / 100) / 10} s`
      : ms < 3_600_000
        ? `${Math.round(ms / 6_000) / 10} min`
        : `${Math.round(ms / 360_000) / 10} h`

/** A column of a table: its title and the cell of a row, as HTML. */
export interface Cell<Row> {
  readonly title: string
  readonly html: (row: Row) => string
  /** Figures stand at the right, prose may break into lines. */
  readonly kind?: 'figure' | 'prose'
}

/** A table that scrolls by itself when the window is narrow. */
export function table<Row>(cells: readonly Cell<Row>[], rows: readonly Row[]): string {
  const mark = ({ kind }: Cell<Row>) => (kind === undefined ? '' : ` class="${kind}"`)
  const head = cells.map((cell) => `<th scope="col"${mark(cell)}>${escaped(cell.title)}</th>`).join('')
  const body = rows.map(
    (row) => `<tr>${cells.map((cell) => `<td${mark(cell)}>${cell.html(row)}</td>`).join('')}</tr>`,
  )
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body.join('\n')}</tbody></table></div>`
}

/** Coordinates need no more than a tenth of a unit. */
export const short = (value: number): string => String(Math.round(value * 10) / 10)
