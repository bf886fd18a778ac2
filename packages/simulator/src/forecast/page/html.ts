import type { Instant, Zone } from '@almanac/recurrence'
import { zonedText } from '../local-time.js'

/** The text as it may stand in HTML, in quoted attributes too. */
export const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)

export const number = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',')

/** A column of a table: its title and the cell of a row, as HTML. */
export interface Cell<Row> {
  readonly title: string
  readonly html: (row: Row) => string
  /** Figures stand at the right, prose may break into lines. */
  readonly kind?: 'figure' | 'prose'
}

export const text = <Row>(title: string, value: (row: Row) => string): Cell<Row> => ({
  title,
  html: (row) => escaped(value(row)),
})

export const prose = <Row>(title: string, value: (row: Row) => string): Cell<Row> => ({
  ...text(title, value),
  kind: 'prose',
})

export const figure = <Row>(title: string, value: (row: Row) => string): Cell<Row> => ({
  ...text(title, value),
  kind: 'figure',
})

/** A table that scrolls by itself when the window is narrow. */
export function table<Row>(cells: readonly Cell<Row>[], rows: readonly Row[]): string {
  const mark = ({ kind }: Cell<Row>) => (kind === undefined ? '' : ` class="${kind}"`)
  const head = cells.map((cell) => `<th${mark(cell)}>${escaped(cell.title)}</th>`).join('')
  const body = rows.map(
    (row) => `<tr>${cells.map((cell) => `<td${mark(cell)}>${cell.html(row)}</td>`).join('')}</tr>`,
  )
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body.join('\n')}</tbody></table></div>`
}

/** Instants in one zone. */
export const clockIn =
  (zone: Zone) =>
  (at: Instant | null): string =>
    at === null ? '–' : zonedText(at, zone)

/** Coordinates need no more than a tenth of a unit. */
export const short = (value: number): string => String(Math.round(value * 10) / 10)
