import { clip, pad, visible, widthOf, wrap } from './text.js'

export interface Column<Row> {
  readonly title: string
  readonly value: (row: Row) => string
  readonly align?: 'left' | 'right'
  /** The narrowest the column may be squeezed to, in columns; left out: never squeezed. */
  readonly min?: number
  /** Columns with the highest number are left out first when the table does not fit; without it: always shown. */
  readonly drop?: number
  /** Colours; applied after cutting and padding, so that escape codes take no width. */
  readonly style?: (text: string, row: Row) => string
}

export interface TableOptions {
  /** Columns of the terminal; `Infinity` (no terminal): nothing is cut or left out. */
  readonly width: number
  readonly heading: (text: string) => string
}

interface Fitted<Row> {
  readonly column: Column<Row>
  readonly cells: readonly string[]
  readonly natural: number
}

const gap = 2
/** A squeezable column is content with so much before other columns have to leave for it: more where there is room. */
const comfortIn = (width: number) => (Number.isFinite(width) ? Math.max(24, Math.floor(width / 5)) : width)

const total = (widths: readonly number[]) =>
  widths.reduce((sum, width) => sum + width, 0) + gap * Math.max(0, widths.length - 1)

const comfortable = <Row>({ column, natural }: Fitted<Row>, width: number) =>
  column.min === undefined ? natural : Math.min(natural, Math.max(column.min, comfortIn(width)))

const dropUntilFits = <Row>(fitted: readonly Fitted<Row>[], width: number): readonly Fitted<Row>[] => {
  let kept = fitted
  while (total(kept.map((entry) => comfortable(entry, width))) > width) {
    const first = Math.max(...kept.map(({ column }) => column.drop ?? 0))
    if (first <= 0) return kept
    kept = kept.filter(({ column }) => column.drop !== first)
  }
  return kept
}

/** Takes columns away from the widest squeezable column first, until the table fits or all are at their least. */
const squeeze = <Row>(fitted: readonly Fitted<Row>[], width: number): number[] => {
  const widths = fitted.map(({ natural }) => natural)
  let excess = total(widths) - width
  while (excess > 0) {
    let widest = -1
    fitted.forEach(({ column }, index) => {
      const now = widths[index] ?? 0
      if (column.min !== undefined && now > column.min && now > (widths[widest] ?? 0)) widest = index
    })
    if (widest < 0) break
    widths[widest] = (widths[widest] ?? 0) - 1
    excess -= 1
  }
  return widths
}

/** Lines of a table, heading first. Wide, CJK and emoji safe; a cell is always one line. */
export const table = <Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  options: TableOptions,
): string[] => {
  const measured = columns.map((column): Fitted<Row> => {
    const cells = rows.map((row) => visible(column.value(row)))
    const natural = cells.reduce((most, cell) => Math.max(most, widthOf(cell)), widthOf(column.title))
    return { column, cells, natural }
  })
  const fitted = dropUntilFits(measured, options.width)
  const widths = squeeze(fitted, options.width)
  const line = (cell: (entry: Fitted<Row>, width: number) => string) =>
    fitted.map((entry, index) => cell(entry, widths[index] ?? entry.natural)).join(' '.repeat(gap))
  const heading = line(({ column }, width) => pad(clip(column.title, width), width, column.align)).trimEnd()
  const body = rows.map((row, at) =>
    line(({ column, cells }, width) => {
      const text = pad(clip(cells[at] ?? '', width), width, column.align)
      return column.style ? column.style(text, row) : text
    }).trimEnd(),
  )
  return [options.heading(heading), ...body]
}

/** Lines `label  value`, labels padded to one width, values wrapped beside them. Empty values are left out. */
export const fields = (
  entries: readonly (readonly [string, string])[],
  label: (text: string) => string,
  columns: number,
): string[] => {
  const shown = entries.filter(([, value]) => value !== '')
  const width = shown.reduce((most, [name]) => Math.max(most, widthOf(name)), 0)
  return shown.flatMap(([name, value]) =>
    wrap(value, columns - width - 2).map(
      (line, index) => `${label(pad(index === 0 ? name : '', width))}  ${line}`,
    ),
  )
}
