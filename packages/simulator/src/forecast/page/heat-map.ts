import { weekdays } from '../local-time.js'
import { escaped, number } from './html.js'

const cell = 30
const left = 44
const top = 20

const clock = (hour: number): string => `${String(hour).padStart(2, '0')}:00`

/** Few runs are to be told from none. */
const opacity = (share: number): string => (0.12 + 0.88 * share).toFixed(2)

/** Runs by weekday and hour: Monday first, a stronger colour is more. */
export function heatMap(heat: readonly (readonly number[])[], timezone: string): string {
  const most = Math.max(1, ...heat.flat())
  const width = left + 24 * cell
  const height = top + 7 * cell
  const hours = Array.from({ length: 24 }, (_, hour) =>
    hour % 3 === 0 ? `<text x="${left + hour * cell}" y="13">${clock(hour)}</text>` : '',
  )
  const rows = [1, 2, 3, 4, 5, 6, 0].map((day, row) => {
    const name = weekdays[day] ?? ''
    const label = `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`
    const cells = Array.from({ length: 24 }, (_, hour) => {
      const runs = heat[day]?.[hour] ?? 0
      const title = `${label} ${clock(hour)} to ${clock(hour + 1)}: ${number(runs)} runs`
      const place = `x="${left + hour * cell}" y="${top + row * cell}" width="${cell - 2}" height="${cell - 2}" rx="3"`
      const fill = runs === 0 ? 'class="none"' : `class="heat" fill-opacity="${opacity(runs / most)}"`
      return `<rect ${place} ${fill}><title>${escaped(title)}</title></rect>`
    })
    return `<text x="${left - 8}" y="${top + row * cell + 19}" text-anchor="end">${label}</text>${cells.join('')}`
  })
  return [
    `<div class="scroll"><svg class="hours" viewBox="0 0 ${width} ${height}" role="img" `,
    `aria-label="Runs by weekday and hour in ${escaped(timezone)}">`,
    ...hours,
    ...rows,
    `</svg></div><p class="note">Hours in ${escaped(timezone)}. `,
    `The strongest colour stands for ${number(most)} runs.</p>`,
  ].join('')
}
