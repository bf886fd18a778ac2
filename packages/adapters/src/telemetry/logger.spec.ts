import { describe, expect, it } from 'vitest'
import { createLogger, type LogLevel, logLevelOf } from './logger.js'

function loggerAt(level: LogLevel) {
  const lines: string[] = []
  const logger = createLogger({
    level,
    node: 'n1',
    cluster: 'c',
    clock: { now: () => Date.UTC(2026, 0, 1) },
    write: (line) => lines.push(line),
  })
  return { logger, lines }
}

/** What a line says that was logged at `info`. */
function written(...said: Parameters<ReturnType<typeof loggerAt>['logger']['info']>) {
  const { logger, lines } = loggerAt('info')
  logger.info(...said)
  return JSON.parse(lines[0] ?? '')
}

describe('the log', () => {
  it('is one line of JSON for each thing that happened', () => {
    const { logger, lines } = loggerAt('info')
    logger.info('partition taken over', { partition: 3, note: 'two\nlines' })
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/^[^\n]+\n$/)
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      time: '2026-01-01T00:00:00.000Z',
      level: 'info',
      message: 'partition taken over',
      node: 'n1',
      cluster: 'c',
      partition: 3,
      note: 'two\nlines',
    })
  })

  it('leaves out what is below its level', () => {
    const { logger, lines } = loggerAt('warn')
    logger.debug('a')
    logger.info('b')
    logger.warn('c')
    logger.error('d')
    expect(lines.map((line) => JSON.parse(line).message)).toEqual(['c', 'd'])
    const silent = loggerAt('off')
    silent.logger.error('e')
    expect(silent.lines).toEqual([])
    expect([logLevelOf(' WARN'), logLevelOf(undefined), logLevelOf(''), logLevelOf('loud')]).toEqual([
      'warn',
      'info',
      'info',
      undefined,
    ])
  })

  it('names the trace, and no trace that is none', () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    expect(written('x', { traceparent })).toMatchObject({
      trace_id: '0af7651916cd43dd8448eb211c80319c',
      span_id: 'b7ad6b7169203331',
    })
    expect(written('x', { traceparent: '00-zz' })).not.toHaveProperty('trace_id')
  })

  it('tells an error with its stack, its code and its causes', () => {
    const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
    const { error } = written('x', { error: new TypeError('no answer', { cause }) })
    expect(error).toMatchObject({
      type: 'TypeError',
      message: 'no answer',
      cause: { message: 'refused', code: 'ECONNREFUSED' },
    })
    expect(error.stack).toContain('logger.spec')
    expect(written('x', { error: 'thrown as a text' }).error).toEqual({ message: 'thrown as a text' })
  })

  it('writes no secret and nothing that users work with, however deep', () => {
    const line = written('connecting to kafka://user:hunter2@broker:9092', {
      password: 'hunter2',
      config: {
        redis: 'redis://:hunter2@host:6379',
        sasl: { username: 'u', password: 'hunter2' },
        apiKey: 'hunter2',
      },
      leaseToken: 'hunter2',
      command: { taskId: 'T', args: ['hunter2'], kwargs: { a: 'hunter2' }, headers: { b: 'hunter2' } },
      error: new Error('esdb://admin:hunter2@host:2113 does not answer'),
    })
    expect(JSON.stringify(line)).not.toContain('hunter2')
    expect(line.command).toEqual({ taskId: 'T' })
    expect(line.message).toBe('connecting to kafka://user:***@broker:9092')
  })

  it('survives what JSON can not write', () => {
    const circle: { self?: unknown } = {}
    circle.self = circle
    expect(written('x', { circle, big: 12n, list: Array.from({ length: 80 }, (_, i) => i) })).toMatchObject({
      big: '12',
      list: { length: 50 },
    })
    // Nor can a field pose as what the line says of itself.
    expect(written('x', { node: 'other', level: 'error' })).toMatchObject({ node: 'n1', level: 'info' })
  })
})
