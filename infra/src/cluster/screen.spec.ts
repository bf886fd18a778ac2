import { describe, expect, it } from 'vitest'
import { ProblemLines } from './screen.js'

function lines() {
  const said: string[] = []
  return { said, problems: new ProblemLines((text) => void said.push(text)) }
}

describe('ProblemLines', () => {
  it('tells a warning of a node in a sentence, and leaves out what is none', () => {
    const { said, problems } = lines()
    const of = (level: string) =>
      JSON.stringify({ time: 'now', level, message: 'partition 3', error: { message: 'it took too long' } })

    for (const level of ['debug', 'info', 'warn', 'error']) problems.show('node-1', of(level), '/log')
    problems.show('node-1', '{"level":"warn","message":"alone"}', '/log')
    problems.show('node-1', '{ no JSON', '/log')

    expect(said).toEqual([
      'node-1 | warn: partition 3: it took too long',
      'node-1 | error: partition 3: it took too long',
      'node-1 | warn: alone',
      'node-1 | { no JSON',
    ])
  })

  it('lets a few lines of each through in a stretch of time', () => {
    const { said, problems } = lines()
    for (let count = 0; count < 20; count++) problems.show('node-1', `line ${count}`, '/log', 0)
    problems.show('node-2', 'another', '/log', 0)
    problems.show('node-1', 'later', '/log', 11_000)

    expect(said).toEqual([
      ...[0, 1, 2, 3, 4].map((count) => `node-1 | line ${count}`),
      'node-1 | … more in /log',
      'node-2 | another',
      'node-1 | later',
    ])
  })
})
