/**
 * JSON as it may be trusted: what JSON.parse forgives (a key given twice, an integer that changes its value, a
 * key that reaches a prototype, any depth) is refused, with the path to it.
 */

import type { ProblemCode } from './problem-codes.js'

export const maxJsonDepth = 32
/** Keys of one object. */
export const maxJsonKeys = 1_000

export interface JsonFault {
  readonly code: ProblemCode
  /** Place in the value, as `kwargs.items[3].id`; empty for the whole. */
  readonly path: string
  readonly message: string
}

export type JsonResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly fault: JsonFault }

/** Parses one JSON text. A leading byte order mark is allowed. Never throws; takes time linear in the text. */
export function parseStrictJson(text: string): JsonResult {
  const source = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
  if (/^[ \t\r\n]*$/.test(source))
    return { ok: false, fault: { code: 'empty_body', path: '', message: 'is empty' } }
  let value: unknown
  try {
    // Not recursive in V8, so depth can't hurt it; the walk below trusts that the text is valid JSON.
    value = JSON.parse(source)
  } catch (error) {
    const message = error instanceof Error ? error.message : 'is not JSON'
    return { ok: false, fault: { code: 'malformed_json', path: '', message } }
  }
  const fault = new Walk(source).run()
  return fault === undefined ? { ok: true, value } : { ok: false, fault }
}

interface Frame {
  /** Keys so far; undefined in an array. */
  readonly keys: Set<string> | undefined
  key: string
  index: number
}

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const colon = 0x3a

/** One pass over the text of a valid JSON value. */
class Walk {
  private readonly stack: Frame[] = []
  private at = 0
  private readonly text: string

  constructor(text: string) {
    this.text = text
  }

  run(): JsonFault | undefined {
    const { text } = this
    while (this.at < text.length) {
      const code = text.charCodeAt(this.at)
      const fault =
        code === quote
          ? this.string()
          : code === 0x7b || code === 0x5b
            ? this.open(code === 0x7b)
            : this.mark(code)
      if (fault !== undefined) return fault
    }
    return undefined
  }

  private mark(code: number): JsonFault | undefined {
    if (code === 0x2d || (code >= 0x30 && code <= 0x39)) return this.number()
    const frame = this.stack.at(-1)
    if (code === 0x7d || code === 0x5d) this.stack.pop()
    else if (code === comma && frame !== undefined) {
      frame.index++
      frame.key = ''
    }
    this.at++
    return undefined
  }

  private open(isObject: boolean): JsonFault | undefined {
    if (this.stack.length === maxJsonDepth) {
      return this.fault('too_deep', `must not be nested more than ${maxJsonDepth} deep`)
    }
    this.stack.push({ keys: isObject ? new Set() : undefined, key: '', index: 0 })
    this.at++
    return undefined
  }

  private string(): JsonFault | undefined {
    const { text } = this
    const start = this.at
    let escaped = false
    let end = start + 1
    for (let code = text.charCodeAt(end); code !== quote; code = text.charCodeAt(++end)) {
      if (code === backslash) {
        escaped = true
        end++
      }
    }
    this.at = end + 1
    const value = escaped ? String(JSON.parse(text.slice(start, end + 1))) : text.slice(start + 1, end)
    if (escaped && !isWellFormed(value)) return this.fault('not_utf8', 'has a lone surrogate')
    const frame = this.stack.at(-1)
    return frame?.keys !== undefined && this.isKey() ? this.key(frame, frame.keys, value) : undefined
  }

  private isKey(): boolean {
    const { text } = this
    let code = text.charCodeAt(this.at)
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) code = text.charCodeAt(++this.at)
    return code === colon
  }

  private key(frame: Frame, keys: Set<string>, key: string): JsonFault | undefined {
    frame.key = key
    if (keys.has(key)) return this.fault('duplicate_key', 'is given twice')
    if (keys.size === maxJsonKeys) return this.fault('too_many_keys', `is beyond ${maxJsonKeys} keys`)
    if (key === '__proto__' || (key === 'prototype' && this.stack.at(-2)?.key === 'constructor')) {
      return this.fault('forbidden_key', 'is not allowed as a key')
    }
    keys.add(key)
    return undefined
  }

  private number(): JsonFault | undefined {
    const { text } = this
    const start = this.at
    let whole = true
    for (let code = text.charCodeAt(++this.at); ; code = text.charCodeAt(++this.at)) {
      if (code >= 0x30 && code <= 0x39) continue
      if (code !== 0x2e && code !== 0x65 && code !== 0x45 && code !== 0x2b && code !== 0x2d) break
      whole = false
    }
    if (whole && this.at - start < 16) return undefined
    const value = Number(text.slice(start, this.at))
    if (!Number.isFinite(value)) return this.fault('malformed_json', 'is a number beyond all bounds')
    if (whole && !Number.isSafeInteger(value)) {
      return this.fault('unsafe_number', 'is an integer that cannot be kept exactly; send it as a string')
    }
    return undefined
  }

  private fault(code: ProblemCode, message: string): JsonFault {
    let path = ''
    for (const { keys, key, index } of this.stack) {
      if (keys === undefined) path += `[${index}]`
      else if (key !== '') path += path === '' ? key : `.${key}`
    }
    return { code, path: path.length > 200 ? `${path.slice(0, 200)}...` : path, message }
  }
}

// String.prototype.isWellFormed is not in the ES2022 library.
const isWellFormed = (text: string): boolean => !/[\ud800-\udfff]/u.test(text)
