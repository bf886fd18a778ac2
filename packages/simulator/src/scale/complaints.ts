import { type Compared, compared } from './paper.js'
import type { ScaleReport } from './report.js'
import type { ScaleSetting } from './setting.js'

/** Counts may differ from what was computed by this part, and by what one more at either end of the window makes. */
const tolerance = 0.08
/** Notes come in step for minutes after a start: their mean shows only over many of them. */
const noteTolerance = 0.15

/** What comes with each renewal of one node. */
const renewed: { readonly [what in Compared]?: (setting: ScaleSetting) => number } = {
  renew: () => 1,
  acquire: ({ partitions, nodes }) => partitions / nodes,
  members: ({ nodes }) => nodes,
}

/** What should not be, in words; empty when all is as it should be. */
export function complaintsOf(report: ScaleReport): readonly string[] {
  const { setting, rest, upheavals, violations, fenced } = report
  const name = `${setting.nodes} nodes, ${setting.partitions} partitions`
  const differing = compared.filter((what) => {
    const allowed = rest.paper[what] * (what === 'append' ? noteTolerance : tolerance)
    const oneMore = (renewed[what]?.(setting) ?? 0) / rest.seconds
    return Math.abs(rest.counted[what] - rest.paper[what]) > allowed + oneMore
  })
  return [
    ...differing.map(
      (what) =>
        `${name}: ${what}: ${rest.paper[what].toFixed(2)} on paper, ${rest.counted[what].toFixed(2)} counted`,
    ),
    ...upheavals
      .filter(({ mustMove, moved }) => mustMove !== moved)
      .map(({ what, mustMove, moved }) => `${name}: ${what}: ${moved} moved, ${mustMove} had to`),
    ...(fenced > 0 ? [`${name}: ${fenced} commits were fenced`] : []),
    ...violations.slice(0, 5).map(({ rule, message }) => `${name}: ${rule}: ${message}`),
  ]
}
