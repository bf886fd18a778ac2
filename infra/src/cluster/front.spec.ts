import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { markedProcesses, markVariable } from './marked.js'

const program = fileURLToPath(new URL('../../bin/cluster.mjs', import.meta.url))
const node = fileURLToPath(new URL('./fake-node.fixture.mjs', import.meta.url))
const built = fileURLToPath(new URL('../../dist/cluster/front.js', import.meta.url))

let folder: string
/** Below the ports that the system hands out by itself; each start takes others. */
let port = 20_000 + Math.floor(Math.random() * 9_000)

beforeEach(async () => {
  if (!existsSync(built)) throw new Error('Run `npm run build` before this test.')
  folder = await mkdtemp(join(tmpdir(), 'almanac-cluster-'))
  port += 100
})

afterEach(async () => {
  const mark = await markOf()
  if (mark !== undefined) for (const pid of markedProcesses(mark)) process.kill(pid, 'SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

class Started {
  readonly child: ChildProcess
  readonly ended: Promise<number | null>
  output = ''

  /** `above`: what stands between this process and the cluster. */
  constructor(env: Readonly<Record<string, string>>, above: readonly string[] = []) {
    const servers = ['--kafka', '127.0.0.1:1', '--redis', 'redis://127.0.0.1:1', '--event-log', 'sqlite']
    const places = ['--data', join(folder, 'data'), '--port', `${port}`, '--node-program', node]
    const { [markVariable]: _, npm_lifecycle_event: __, ...outer } = process.env
    const [command = '', ...args] = [...above, process.execPath, program, ...servers, ...places]
    this.child = spawn(command, args, {
      env: { ...outer, FAKE_NODE_LOG: join(folder, 'asked'), ...env },
    })
    const take = (chunk: Buffer) => {
      this.output += chunk.toString('utf8')
    }
    this.child.stdout?.on('data', take)
    this.child.stderr?.on('data', take)
    this.ended = once(this.child, 'exit').then(([code]) => code)
  }

  async says(pattern: RegExp): Promise<RegExpExecArray> {
    await expect.poll(() => this.output, { timeout: 20_000, interval: 20 }).toMatch(pattern)
    return pattern.exec(this.output) ?? expect.fail()
  }

  /** As the table has it. */
  async pidOf(name: string): Promise<number> {
    await this.says(/Ctrl-C stops everything/)
    return Number((await this.says(new RegExp(`^  ${name} +(\\d+) `, 'm')))[1])
  }
}

const kept = join('data', 'cluster.json')
const keptOf = async () => JSON.parse(await readFile(join(folder, kept), 'utf8'))
const markOf = (): Promise<string | undefined> =>
  keptOf().then(
    ({ mark }) => mark,
    () => undefined,
  )

const nothingIsLeft = async () => {
  const mark = (await markOf()) ?? expect.fail()
  await expect.poll(() => markedProcesses(mark), { timeout: 15_000 }).toEqual([])
}

describe('npm run cluster, with nodes that are fakes', () => {
  it('says where everything is, tells of a node that was killed, and stops the others in order', async () => {
    const cluster = new Started({})
    const pid = await cluster.pidOf('node-3')

    process.kill(pid, 'SIGKILL')
    await cluster.says(new RegExp(`node-3 \\(pid ${pid}\\) ended by SIGKILL`))
    await cluster.says(/To bring it back: sh .*node-3\/start.sh/)
    cluster.child.kill('SIGINT')

    expect(await cluster.ended).toBe(0)
    expect(cluster.output).toMatch(/node-1 has stopped[\s\S]*All has stopped/)
    expect(cluster.output).not.toContain('node-3 has stopped')
    const asked = (await readFile(join(folder, 'asked'), 'utf8')).trim().split('\n').sort()
    expect(asked).toEqual(['start node-1', 'start node-2', 'start node-3', 'stop node-1', 'stop node-2'])
    await nothingIsLeft()
  })

  it('shows what nodes complain of', async () => {
    const cluster = new Started({ FAKE_NODE: 'noisy' })

    await cluster.says(/^node-2 \| a warning of a node$/m)

    cluster.child.kill('SIGTERM')
    expect(await cluster.ended).toBe(0)
  })

  it('brings a node back by its script, and stops it with the rest', async () => {
    const cluster = new Started({})
    process.kill(await cluster.pidOf('node-2'), 'SIGKILL')
    const [, script = ''] = await cluster.says(/To bring it back: sh (\S+)/)
    const again = spawn('sh', [script], {
      env: { PATH: process.env.PATH, FAKE_NODE_LOG: join(folder, 'asked') },
      stdio: 'ignore',
    })
    const againEnded = once(again, 'exit')
    await expect
      .poll(() =>
        fetch(`http://127.0.0.1:${port + 41}/readyz`).then(
          ({ status }) => status,
          () => 0,
        ),
      )
      .toBe(200)

    cluster.child.kill('SIGTERM')

    expect(await cluster.ended).toBe(0)
    await againEnded
    // It was asked to stop, and not killed.
    const asked = await readFile(join(folder, 'asked'), 'utf8')
    expect(asked.split('\n').filter((line) => line === 'stop node-2')).toHaveLength(1)
    await nothingIsLeft()
  })

  it('leaves nothing behind when it is killed', async () => {
    const cluster = new Started({})
    await cluster.pidOf('node-1')

    cluster.child.kill('SIGKILL')

    await nothingIsLeft()
  })

  it('leaves nothing behind when its supervisor is killed', async () => {
    const cluster = new Started({})
    await cluster.pidOf('node-1')

    process.kill((await keptOf()).supervisor, 'SIGKILL')

    expect(await cluster.ended).toBe(1)
    await nothingIsLeft()
  })

  it('leaves nothing behind when npm is killed', async () => {
    // As npm does: a shell of its own, which waits, and outlives it.
    const npm = `require('child_process').spawn('sh', ['-c', '"$@"; true', 'sh', ...process.argv.slice(1)], {
      stdio: 'inherit',
    })`
    const cluster = new Started({ npm_lifecycle_event: 'cluster' }, [process.execPath, '-e', npm, '--'])
    await cluster.pidOf('node-1')

    cluster.child.kill('SIGKILL')

    await nothingIsLeft()
  })

  it('ends what would not stop when it is asked twice', async () => {
    const cluster = new Started({ FAKE_NODE: 'stubborn' })
    await cluster.pidOf('node-1')

    cluster.child.kill('SIGINT')
    await cluster.says(/Once more to end at once/)
    await new Promise((resolve) => setTimeout(resolve, 700))
    cluster.child.kill('SIGINT')

    expect(await cluster.ended).toBe(1)
    await nothingIsLeft()
  })

  it('stops, and shows the end of its log, when a node does not start', async () => {
    const cluster = new Started({ FAKE_NODE: 'broken' })

    expect(await cluster.ended).toBe(1)
    expect(cluster.output).toMatch(
      /node-1 could not be started: node-1 ended with code 3[\s\S]*Kafka cannot be reached/,
    )
    await nothingIsLeft()
  })

  it('does not start twice in one folder', async () => {
    const cluster = new Started({})
    await cluster.pidOf('node-1')
    const { supervisor } = await keptOf()

    const second = new Started({})

    expect(await second.ended).toBe(2)
    expect(second.output).toContain(`A cluster already runs in ${join(folder, 'data')} (pid ${supervisor})`)
    cluster.child.kill('SIGTERM')
    expect(await cluster.ended).toBe(0)
  })
})
