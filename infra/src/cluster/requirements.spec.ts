import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { inspectFolder, takeFolder } from './folder.js'
import { layoutOf } from './layout.js'
import { type ClusterOptions, parseOptions } from './options.js'
import { problemsBefore } from './requirements.js'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'almanac-cluster-'))
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true, force: true })
})

const optionsOf = (...argv: string[]): ClusterOptions => {
  const parsed = parseOptions(argv)
  if (parsed.kind !== 'options') throw new Error(JSON.stringify(parsed))
  return parsed.options
}

describe('what must be there before the start', () => {
  it('names what is missing with the line that installs it', async () => {
    vi.stubEnv('PATH', folder)
    vi.stubEnv('ALMANAC_TEST_KAFKA_VERSION', '0.0.0')

    const problems = await problemsBefore(layoutOf(optionsOf(), folder))

    expect(problems).toContain(
      'Kafka needs Java 17, and there is no `java`. On Debian: apt-get install -y openjdk-17-jre-headless',
    )
    expect(problems.join('\n')).toMatch(/no `mvn`. On Debian: apt-get install -y maven/)
    expect(problems).toContain('There is no `redis-server`. On Debian: apt-get install -y redis-server')
  })

  it('names a Java that is too old', async () => {
    await writeFile(join(folder, 'java'), '#!/bin/sh\necho \'openjdk version "1.8.0_402"\' >&2\n', {
      mode: 0o755,
    })
    vi.stubEnv('PATH', `${folder}:${process.env.PATH}`)

    const problems = await problemsBefore(layoutOf(optionsOf(), folder))

    expect(problems.join('\n')).toContain('Kafka needs Java 17, and `java` here is 8. On Debian: apt-get')
  })

  it('names a port that is taken, and who wants it', async () => {
    const server = createServer()
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve(Number(Object(server.address()).port)))
    })
    const options = optionsOf('--kafka', 'a:1', '--redis', 'redis://b', '--event-log', 'sqlite')

    const problems = await problemsBefore(layoutOf({ ...options, nodes: 1, port: port - 40 }, folder))
    await new Promise((resolve) => server.close(resolve))

    expect(problems).toContain(
      `Port ${port} is in use, and node-1's probes needs it. Stop what listens there, or take other ports with --port.`,
    )
  })

  it('names the program of the nodes when it is not there', async () => {
    const options = optionsOf('--kafka', 'a:1', '--redis', 'redis://b', '--node-program', '/no/such/file.js')

    expect(await problemsBefore(layoutOf(options, folder))).toContain('/no/such/file.js is not there.')
  })
})

describe('folder of a cluster', () => {
  const inspect = (...argv: string[]) => inspectFolder(folder, optionsOf(...argv), () => {})

  it('refuses a folder with other things in it, also with --fresh', async () => {
    await writeFile(join(folder, 'thesis.txt'), '')

    for (const argv of [[], ['--fresh']]) {
      expect(await inspect(...argv)).toMatchObject({
        ok: false,
        problem: expect.stringContaining('other things'),
      })
    }
  })

  it('goes on from what the last start left', async () => {
    await takeFolder(folder, optionsOf(), 'a mark of the past')

    expect(await inspect()).toMatchObject({ ok: true, before: { mark: 'a mark of the past' } })
  })

  it.each([
    [['--event-log', 'sqlite'], '--event-log double'],
    [['--partitions', '8'], '--partitions 16'],
  ])('refuses %j when the data was made otherwise', async (argv, made) => {
    await takeFolder(folder, optionsOf(), 'a mark of the past')

    expect(await inspect(...argv)).toMatchObject({
      ok: false,
      problem: expect.stringContaining(
        `was made with ${made}. Start it so again, or begin anew with --fresh.`,
      ),
    })
    expect(await inspect(...argv, '--fresh')).toEqual({ ok: true, before: null })
  })

  it('deletes what was there with --fresh', async () => {
    await takeFolder(folder, optionsOf(), 'a mark of the past')
    await writeFile(join(folder, 'old'), '')

    await takeFolder(folder, optionsOf('--fresh'), 'another mark')

    await expect(rm(join(folder, 'old'))).rejects.toThrow('ENOENT')
  })
})
