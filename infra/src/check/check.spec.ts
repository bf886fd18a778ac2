import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkCompose, checkFiles, checkManifests, repositoryRoot } from './check.js'
import { environmentFileProblems } from './compose-rules.js'
import { parseYaml, yamlFilesIn } from './documents.js'
import type { Known } from './rules.js'

const options = [
  'ROLE',
  'NODE',
  'DATA',
  'CLUSTER',
  'PARTITIONS',
  'EVENTSTORE',
  'KAFKA',
  'REDIS',
  'REPLICATION',
]
const access = ['EVENTSTORE', 'KAFKA', 'REDIS'].flatMap((server) =>
  ['USER', 'PASSWORD', 'CA'].map((name) => `${server}_${name}`),
)
const known: Known = {
  variables: new Set(
    [...options, ...access, 'QUEUES', 'OPERATIONS_PORT', 'LEASE_TTL_SECONDS'].map(
      (name) => `ALMANAC_${name}`,
    ),
  ),
  hasFile: (path) => existsSync(join(repositoryRoot, path)),
}

const textOf = (path: string) => readFileSync(join(repositoryRoot, path), 'utf8')

/** The real text with something in it replaced, which must be there. */
function planted(path: string, from: string, to: string): string {
  const text = textOf(path)
  if (!text.includes(from)) throw new Error(`${path} has no ${JSON.stringify(from)}`)
  return text.replace(from, to)
}

const composePath = 'infra/compose/compose.yaml'
const composeWith = (from: string, to: string) => {
  const file = parseYaml(composePath, planted(composePath, from, to), '1.2')
  return [...file.problems, ...checkCompose(file, known)]
}

/** All manifests as they are, but one. */
function manifestsWith(path: string, from: string, to: string): readonly string[] {
  const files = yamlFilesIn(repositoryRoot, 'infra/kubernetes').map((name) =>
    parseYaml(name, name === path ? planted(path, from, to) : textOf(name), '1.1'),
  )
  return checkManifests(files, known).flatMap(({ problems }) => problems)
}

const base = (name: string) => `infra/kubernetes/base/${name}.yaml`
const example = (name: string) => `infra/kubernetes/overlays/example/${name}.yaml`
const servers = (name: string) => `infra/kubernetes/servers/${name}.yaml`

describe('check of the files for production', () => {
  it('finds nothing in the files of the repository', () => {
    const checked = checkFiles(known)

    expect(checked.length).toBeGreaterThan(10)
    expect(checked.filter(({ problems }) => problems.length > 0)).toEqual([])
  })

  it.each([
    [
      'a field that no schema has',
      '  restart: unless-stopped',
      '  restrat: unless-stopped',
      /no field restrat/,
    ],
    ['a value of the wrong type', 'memory: 2g\n', 'memory: [2g]\n', /must be/],
    ['an image without a version', 'apache/kafka:3.9.1', 'apache/kafka:latest', /not pinned/],
    ['an image without a tag', 'prom/prometheus:v3.5.0', 'prom/prometheus', /has no tag/],
    [
      'an option that a node does not have',
      'ALMANAC_PARTITIONS:',
      'ALMANAC_PARTITION:',
      /no option ALMANAC_PARTITION$/m,
    ],
    ['a server to wait for that is not there', 'kafka-3: { cond', 'kafka-4: { cond', /depends on kafka-4/],
    [
      'a file to mount that is not there',
      '/base/nginx.conf',
      '/base/ngnix.conf',
      /ngnix\.conf, which is not there/,
    ],
    [
      'a volume that is not declared',
      '- kafka-1:/var',
      '- kafka-one:/var',
      /volume kafka-one is not declared/,
    ],
    [
      'a network that is not declared',
      'networks: [servers, callers]',
      'networks: [servers, caller]',
      /network caller/,
    ],
    [
      'no limit of memory',
      'memory: 128m\n  logging: *logging',
      'pids: 50\n  logging: *logging',
      /limits.memory/,
    ],
    [
      'no health check',
      '    test: [CMD, nc, -z, localhost',
      '    tset: [CMD, nc, -z, localhost',
      /no field tset/,
    ],
    ['a key that is there twice', 'name: almanac\n', 'name: almanac\nname: almanac\n', /unique/],
  ])('finds in the compose file %s', (_, from, to, expected) => {
    expect(composeWith(from, to).join('\n')).toMatch(expected)
  })

  it('finds a variable that the example of .env does not name', () => {
    const demand = (name: string) => `\${${name}:?set it}`
    const text = `a: ${demand('ONE')}\nb: ${demand('TWO')}\n`

    expect(environmentFileProblems(text, 'ONE=1\n')).toEqual(['.env.example does not name TWO'])
  })

  it.each([
    [
      'a field that no schema has',
      base('scheduler'),
      'minReadySeconds:',
      'minReadySecond:',
      /no field minReadySecond/,
    ],
    [
      'a field deep inside',
      base('api'),
      'failureThreshold: 120',
      'failureTreshold: 120',
      /no field failureTreshold/,
    ],
    ['a value of the wrong type', base('api'), 'replicas: 2', 'replicas: two', /spec.replicas must be/],
    [
      'a selector that is missing',
      base('api'),
      '  selector:\n    matchLabels: *labels\n',
      '',
      /selector is missing/,
    ],
    ['a kind that is not known', base('disruption'), 'policy/v1\n', 'policy/v1beta1\n', /no such kind/],
    ['a false that was meant as text', servers('redis'), '- "no"', '- no', /must be string/],
    [
      'a probe that a node does not answer',
      base('scheduler'),
      'path: /livez',
      'path: /health',
      /livenessProbe asks \/health/,
    ],
    [
      'a probe at a port that is not there',
      base('api'),
      'port: operations\n            periodSeconds: 10',
      'port: admin\n            periodSeconds: 10',
      /asks port admin/,
    ],
    [
      'a budget that matches no pod',
      base('disruption'),
      'component: scheduler',
      'component: schedulers',
      /PodDisruptionBudget.*matches no pod/,
    ],
    [
      'a service that matches no pod',
      servers('redis'),
      'selector:\n    app.kubernetes.io/component: redis',
      'selector:\n    app.kubernetes.io/component: rediss',
      /Service\/redis: its selector/,
    ],
    [
      'a policy that matches no pod',
      base('network'),
      'matchLabels:\n      app.kubernetes.io/component: api',
      'matchLabels:\n      app.kubernetes.io/component: web',
      /NetworkPolicy/,
    ],
    [
      'an option that a node does not have',
      base('settings'),
      'ALMANAC_REPLICATION',
      'ALMANAC_REPLICAS',
      /no option ALMANAC_REPLICAS/,
    ],
    [
      'an option in a secret',
      example('secrets'),
      'ALMANAC_EVENTSTORE',
      'ALMANAC_EVENT_STORE',
      /no option ALMANAC_EVENT_STORE/,
    ],
    [
      'an image that is not pinned',
      servers('kafka'),
      'apache/kafka:3.9.1',
      'apache/kafka:latest',
      /not pinned/,
    ],
    [
      'an image of an overlay that is not pinned',
      example('kustomization'),
      'newTag: 0.1.0',
      'newTag: latest',
      /not pinned/,
    ],
    [
      'too short a time to hand over',
      base('scheduler'),
      'GracePeriodSeconds: 30',
      'GracePeriodSeconds: 3',
      /less than a hand-over/,
    ],
    [
      'a map that is not there',
      base('api'),
      'name: almanac-gate\n',
      'name: almanac-gates\n',
      /ConfigMap\/almanac-gates/,
    ],
    [
      'a mount without a volume',
      base('scheduler'),
      '- name: tmp\n          emptyDir',
      '- name: temp\n          emptyDir',
      /mounts tmp/,
    ],
    ['a file that is never applied', base('kustomization'), '  - disruption.yaml\n', '', /named nowhere/],
    [
      'a file that is not there',
      base('kustomization'),
      '- network.yaml',
      '- networks.yaml',
      /networks.yaml is not there/,
    ],
    ['a wrong field in a patch', example('scheduler'), 'replicas:', 'replica:', /no field replica/],
    ['a pod that may run as root', base('api'), 'runAsNonRoot: true', 'runAsNonRoot: false', /runAsNonRoot/],
  ])('finds in the manifests %s', (_, path, from, to, expected) => {
    expect(manifestsWith(path, from, to).join('\n')).toMatch(expected)
  })
})
