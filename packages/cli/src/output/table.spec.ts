import { describe, expect, it } from 'vitest'
import { type Column, table } from './table.js'
import { clip, visible, widthOf, wrap } from './text.js'

interface Row {
  readonly name: string
  readonly note: string
  readonly count: number
}
const columns: Column<Row>[] = [
  { title: 'NAME', value: ({ name }) => name, min: 8 },
  { title: 'NOTE', value: ({ note }) => note, min: 6, drop: 2 },
  { title: 'N', value: ({ count }) => String(count), align: 'right', drop: 1 },
]
const rows: Row[] = [
  { name: 'żółw', note: 'plain', count: 5 },
  { name: '新年快乐大家好新年快乐', note: 'wide characters', count: 12345 },
  { name: 'party 🎉👩‍👩‍👧‍👦 family', note: 'emoji', count: 1 },
]
const drawn = (width: number, of = rows) => table(columns, of, { width, heading: (text) => text })

describe('table', () => {
  it('lines up columns by what a terminal shows, not by code units', () => {
    expect(drawn(Number.POSITIVE_INFINITY)).toEqual([
      'NAME                    NOTE                 N',
      'żółw                    plain                5',
      '新年快乐大家好新年快乐  wide characters  12345',
      'party 🎉👩‍👩‍👧‍👦 family       emoji                1',
    ])
  })

  it.each([80, 60, 46, 40, 34, 30, 24, 18])('fits %i columns', (width) => {
    for (const line of drawn(width)) expect(widthOf(line)).toBeLessThanOrEqual(width)
  })

  it('leaves columns out before it squeezes the others hard, the highest number first', () => {
    expect(drawn(34)[0]).toBe('NAME                        N')
    expect(drawn(20)[0]?.trim()).toBe('NAME')
  })

  it('cuts between characters, never within', () => {
    expect(drawn(12).slice(1)).toEqual(['żółw', '新年快乐大…', 'party 🎉👩‍👩‍👧‍👦…'])
  })

  it('prints a heading alone when there are no rows', () => {
    expect(drawn(80, [])).toEqual(['NAME  NOTE  N'])
  })

  it('adds colours after cutting and padding, so that they take no width', () => {
    const red = (text: string) => `\u001b[31m${text}\u001b[39m`
    const lines = table(
      [
        { title: 'A', value: () => 'abc', style: red },
        { title: 'B', value: () => 'x' },
      ],
      [0],
      {
        width: 80,
        heading: (text) => text,
      },
    )
    expect(lines[1]).toBe(`${red('abc')}  x`)
  })
})

describe('text', () => {
  it('shows controls and bidi marks as their code, and keeps a cell on one line', () => {
    expect(visible('a\u001b[2Jb\u202ec\nd')).toBe('a\\u001b[2Jb\\u202ec d')
    expect(visible('żółw 新年 🎉')).toBe('żółw 新年 🎉')
  })

  it('cuts to a width', () => {
    expect(clip('abc', 3)).toBe('abc')
    expect(clip('abcd', 3)).toBe('ab…')
    expect(clip('新年快', 5)).toBe('新年…')
    expect(clip('新年快', 4)).toBe('新…')
    expect(clip('abc', 0)).toBe('')
  })

  it('wraps at blanks', () => {
    expect(wrap('one two three', 8)).toEqual(['one two', 'three'])
    expect(wrap('a verylongword b', 5)).toEqual(['a', 'verylongword', 'b'])
  })
})
