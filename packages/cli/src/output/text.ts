import stringWidth from 'string-width'

const plainAscii = /^[\x20-\x7e]*$/
// Controls would move the cursor, bidi marks would reorder the line: both are shown as their code instead.
const unsafe = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** Columns that a text takes on a terminal: CJK and emoji count two, combining marks none. */
export const widthOf = (text: string): number => (plainAscii.test(text) ? text.length : stringWidth(text))

/** One line that is safe to print: newlines become blanks, other controls and bidi marks their code point. */
export const visible = (text: string): string =>
  plainAscii.test(text)
    ? text
    : text
        .replace(/\r?\n/g, ' ')
        .replace(unsafe, (char) => `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`)

/** The text cut to `width` columns, its last visible character an ellipsis. Never cuts within a character. */
export const clip = (text: string, width: number): string => {
  if (widthOf(text) <= width) return text
  if (width <= 0) return ''
  let kept = ''
  let used = 0
  for (const { segment } of graphemes.segment(text)) {
    const wide = widthOf(segment)
    if (used + wide > width - 1) break
    kept += segment
    used += wide
  }
  return `${kept.trimEnd()}…`
}

export const pad = (text: string, width: number, align: 'left' | 'right' = 'left'): string => {
  const blanks = ' '.repeat(Math.max(0, width - widthOf(text)))
  return align === 'left' ? text + blanks : blanks + text
}

/** Breaks a text at blanks into lines of at most `width` columns; a longer word stands on a line of its own. */
export const wrap = (text: string, width: number): string[] => {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  lines.push(line)
  return lines
}

/** `1 task`, `2 tasks`, `1,234 tasks` */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`
