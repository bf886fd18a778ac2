/**
 * Words of zone names that are not simply capitalised. Without this list a name in the wrong case could
 * only be answered with the zone it is an alias of (`Asia/Calcutta` for `asia/kolkata`), which is not what
 * was written.
 */
const oddWords = ['of', 'es', 'au', 'ACT', 'LHI', 'NSW', 'GB', 'US', 'NZ', 'PRC', 'ROC', 'ROK', 'UTC', 'UCT']
const oddSpelling = new Map(
  oddWords
    .concat(['GMT', 'GMT0', 'EST', 'MST', 'HST', 'CET', 'MET', 'EET', 'WET', 'EST5EDT', 'CST6CDT', 'MST7MDT'])
    .concat(['PST8PDT', 'IN', 'CHAT', 'SU', 'W', 'DeNoronha', 'EasterIsland', 'BajaNorte', 'BajaSur'])
    .concat(['McMurdo', 'DumontDUrville', 'ComodRivadavia'])
    .map((word) => [word.toLowerCase(), word]),
)

/**
 * The names without a slash that the tz database has. ICU knows more (`IST`, `PST`), several of them
 * ambiguous.
 */
const singleNames = new Set(
  'cet cst6cdt cuba eet egypt eire est est5edt gb gb-eire gmt gmt+0 gmt-0 gmt0 greenwich hongkong hst'
    .concat(' iceland iran israel jamaica japan kwajalein libya met mst mst7mdt navajo nz nz-chat poland')
    .concat(' portugal prc pst8pdt roc rok singapore turkey uct universal utc w-su wet zulu')
    .split(' '),
)

const maxNameLength = 63

/**
 * The name as the tz database spells it, or `undefined` when it is not one that this program's tz data knows.
 * Refuses the empty text, offsets, paths, and abbreviations such as `PST` that only ICU knows.
 */
export function canonicalZoneName(lowerCase: string): string | undefined {
  if (lowerCase.length > maxNameLength || !/^[a-z][a-z0-9_+-]*(\/[a-z0-9_+-]+)*$/.test(lowerCase))
    return undefined
  if (lowerCase.includes('/') ? lowerCase.startsWith('systemv/') : !singleNames.has(lowerCase))
    return undefined
  let resolved: string
  try {
    resolved = new Intl.DateTimeFormat('en-US', { timeZone: lowerCase }).resolvedOptions().timeZone
  } catch {
    return undefined
  }
  return resolved.toLowerCase() === lowerCase ? resolved : spell(lowerCase)
}

const spell = (lowerCase: string): string =>
  lowerCase.replace(
    /[a-z0-9]+/g,
    (word) => oddSpelling.get(word) ?? word.charAt(0).toUpperCase() + word.slice(1),
  )
