import { describe, expect, it } from 'vitest'
import type { Part, PartStart, Stage } from './part.js'
import { Supervisor } from './supervisor.js'

/** What was done to the parts, in order. */
class World {
  readonly events: string[] = []
  readonly said: string[] = []
  private readonly endings = new Map<string, string>()

  part(name: string, { isStubborn = false, fails = false, hangs = false } = {}): PartStart {
    return {
      name,
      start: async () => {
        this.events.push(`start ${name}`)
        if (hangs) await new Promise(() => {})
        if (fails) throw new Error('no memory')
        return this.running(name, isStubborn)
      },
    }
  }

  die(name: string, how: string): void {
    this.endings.set(name, how)
  }

  private running(name: string, isStubborn: boolean): Part {
    return {
      name,
      // No process has it, so that a signal to it reaches nobody.
      pid: 2 ** 30,
      address: `${name}:1`,
      logFile: `/logs/${name}`,
      ending: () => this.endings.get(name),
      end: async (signal) => {
        this.events.push(`${signal} ${name}`)
        if (isStubborn && signal === 'SIGTERM') await new Promise(() => {})
        this.endings.set(name, `by ${signal}`)
      },
    }
  }

  supervise(...stages: (readonly PartStart[])[]): Supervisor {
    const withPatience = stages.map((starts): Stage => ({ starts, patienceMs: 50 }))
    return new Supervisor({
      stages: withPatience,
      mark: 'carried by no process',
      say: (text) => void this.said.push(text),
      onDeath: ({ name }) => void this.events.push(`death of ${name}`),
    })
  }
}

describe('Supervisor', () => {
  it('starts the servers before the nodes, and stops the nodes before the servers', async () => {
    const world = new World()
    const supervisor = world.supervise([world.part('kafka'), world.part('redis')], [world.part('node')])

    expect(await supervisor.start()).toBe(true)
    await supervisor.stop()

    expect(world.events).toEqual([
      'start kafka',
      'start redis',
      'start node',
      'SIGTERM node',
      'SIGTERM kafka',
      'SIGTERM redis',
    ])
  })

  it('starts no node when a server does not start, and says why', async () => {
    const world = new World()
    const supervisor = world.supervise([world.part('kafka', { fails: true })], [world.part('node')])

    expect(await supervisor.start()).toBe(false)

    expect(world.events).toEqual(['start kafka'])
    expect(world.said).toEqual(['kafka could not be started: no memory'])
  })

  it('stops what was started when it is told to while another starts', async () => {
    const world = new World()
    const supervisor = world.supervise([world.part('redis'), world.part('kafka', { hangs: true })])
    void supervisor.start()
    await new Promise(setImmediate)

    await supervisor.stop()

    expect(world.events).toEqual(['start redis', 'start kafka', 'SIGTERM redis'])
  })

  it('kills what does not stop in time', async () => {
    const world = new World()
    const supervisor = world.supervise([world.part('kafka')], [world.part('node', { isStubborn: true })])
    await supervisor.start()

    await supervisor.stop()

    expect(world.events.slice(2)).toEqual(['SIGTERM node', 'SIGKILL node', 'SIGTERM kafka'])
    expect(world.said.join('\n')).toContain('node did not stop within 0.05 s and was killed')
  })

  it('says once that a part has died, starts it no more, and does not stop it again', async () => {
    const world = new World()
    const supervisor = world.supervise([world.part('redis')], [world.part('node-1'), world.part('node-2')])
    await supervisor.start()
    const watching = supervisor.watch()

    world.die('node-2', 'by SIGKILL')
    await expect.poll(() => world.events).toContain('death of node-2')
    await new Promise((resolve) => setTimeout(resolve, 250))
    await supervisor.stop()
    await watching

    expect(world.events.slice(3)).toEqual(['death of node-2', 'SIGTERM node-1', 'SIGTERM redis'])
    expect(
      world.said.filter((text) => text.includes('node-2 (pid 1073741824) ended by SIGKILL')),
    ).toHaveLength(1)
  })

  it('tells of its parts in the order of the stages, whichever was ready first', async () => {
    const world = new World()
    const slow = world.part('kafka')
    const late: PartStart = {
      ...slow,
      start: () => new Promise((resolve) => setTimeout(() => resolve(slow.start()), 20)),
    }
    const supervisor = world.supervise([late, world.part('redis')])

    await supervisor.start()

    expect(supervisor.parts.map(({ name }) => name)).toEqual(['kafka', 'redis'])
    await supervisor.stop()
  })
})
