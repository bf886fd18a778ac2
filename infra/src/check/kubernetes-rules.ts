import { at, entriesAt, listAt, textAt, type Value } from './documents.js'
import { imageProblem, type Known, probePaths, variableProblems } from './rules.js'

/** Made by hand before the first start: the guide has the command. */
const madeByHand = new Set(['Secret/almanac-certificates'])
const shortestGraceSeconds = 15

/** What the schema cannot know. `all`: every document that is applied together with this one. */
export function kubernetesRuleProblems(
  document: Value,
  all: readonly Value[],
  known: Known,
): readonly string[] {
  const kind = textAt(document, 'kind')
  const name = `${kind}/${textAt(document, 'metadata', 'name')}`
  const problems =
    kind === 'StatefulSet' || kind === 'Deployment'
      ? workloadProblems(document, all, known)
      : kind === 'ConfigMap' || kind === 'Secret'
        ? variableProblems(settingNames(document), known)
        : selectionProblems(document, all)
  return problems.map((problem) => `${name}: ${problem}`)
}

const settingNames = (document: Value): readonly string[] =>
  ['data', 'stringData'].flatMap((part) => entriesAt(document, part).map(([name]) => name))

const isWorkload = (document: Value) => /^(StatefulSet|Deployment)$/.test(textAt(document, 'kind'))

/** Budgets, services and policies that choose no pod do nothing, and nobody notices. */
function selectionProblems(document: Value, all: readonly Value[]): readonly string[] {
  const kind = textAt(document, 'kind')
  const path = { PodDisruptionBudget: 'selector', Service: 'selector', NetworkPolicy: 'podSelector' }[kind]
  if (path === undefined) return []
  const given = at(document, 'spec', path)
  const selector = kind === 'Service' && given !== undefined ? { matchLabels: given } : given
  const pods = all
    .filter(isWorkload)
    .map((workload) => at(workload, 'spec', 'template', 'metadata', 'labels'))
  return pods.some((labels) => chooses(selector, labels)) ? [] : ['its selector matches no pod']
}

function chooses(selector: Value | undefined, labels: Value | undefined): boolean {
  const wanted = entriesAt(selector, 'matchLabels')
  const rules = listAt(selector, 'matchExpressions')
  if (wanted.length + rules.length === 0) return false
  return (
    wanted.every(([key, value]) => at(labels, key) === value) &&
    rules.every((rule) => listAt(rule, 'values').includes(textAt(labels, textAt(rule, 'key'))))
  )
}

function workloadProblems(document: Value, all: readonly Value[], known: Known): readonly string[] {
  const template = at(document, 'spec', 'template')
  const pod = at(template, 'spec')
  const containers = listAt(pod, 'containers')
  const problems = containers.flatMap((container) =>
    containerProblems(container, document, known).map(
      (problem) => `${textAt(container, 'name')}: ${problem}`,
    ),
  )
  if (!chooses(at(document, 'spec', 'selector'), at(template, 'metadata', 'labels')))
    problems.push('its selector does not match its own pods')
  if (containers.some(isNode) && Number(at(pod, 'terminationGracePeriodSeconds')) < shortestGraceSeconds)
    problems.push(`terminationGracePeriodSeconds is less than a hand-over takes: ${shortestGraceSeconds}`)
  if (at(pod, 'securityContext', 'runAsNonRoot') !== true) problems.push('runAsNonRoot is not true')
  return [...problems, ...referenceProblems(document, pod, all)]
}

const isNode = (container: Value) => /(^|\/)almanac(:|$)/.test(textAt(container, 'image'))

function containerProblems(container: Value, document: Value, known: Known): readonly string[] {
  const image = imageProblem(textAt(container, 'image'))
  const problems = image === undefined ? [] : [image]
  if (textAt(container, 'resources', 'limits', 'memory') === '')
    problems.push('resources.limits.memory is missing')
  if (at(container, 'securityContext', 'allowPrivilegeEscalation') !== false)
    problems.push('allowPrivilegeEscalation is not false')
  const names = listAt(container, 'env').map((variable) => textAt(variable, 'name'))
  return [
    ...problems,
    ...variableProblems(names, known),
    ...probeProblems(container),
    ...mountProblems(container, document),
  ]
}

function probeProblems(container: Value): readonly string[] {
  const probes = ['startupProbe', 'livenessProbe', 'readinessProbe']
  const missing = isNode(container) ? probes.filter((probe) => at(container, probe) === undefined) : []
  const ports = listAt(container, 'ports').flatMap((port) => [
    textAt(port, 'name'),
    textAt(port, 'containerPort'),
  ])
  const wrong = probes.flatMap((probe) => {
    const path = textAt(container, probe, 'httpGet', 'path')
    const port = textAt(container, probe, 'httpGet', 'port') || textAt(container, probe, 'tcpSocket', 'port')
    return [
      ...(isNode(container) && path !== '' && !probePaths.includes(path)
        ? [`${probe} asks ${path}, which a node does not have`]
        : []),
      ...(port !== '' && !ports.includes(port) ? [`${probe} asks port ${port}, which it does not have`] : []),
    ]
  })
  return [...missing.map((probe) => `${probe} is missing`), ...wrong]
}

function mountProblems(container: Value, document: Value): readonly string[] {
  const volumes = [
    ...listAt(document, 'spec', 'template', 'spec', 'volumes').map((volume) => textAt(volume, 'name')),
    ...listAt(document, 'spec', 'volumeClaimTemplates').map((claim) => textAt(claim, 'metadata', 'name')),
  ]
  return listAt(container, 'volumeMounts')
    .map((mount) => textAt(mount, 'name'))
    .filter((name) => !volumes.includes(name))
    .map((name) => `mounts ${name}, which is no volume of its pod`)
}

/** What a workload names must be among what is applied with it. */
function referenceProblems(
  document: Value,
  pod: Value | undefined,
  all: readonly Value[],
): readonly string[] {
  const wanted: string[] = []
  const want = (kind: string, name: string) => name !== '' && wanted.push(`${kind}/${name}`)
  want('Service', textAt(document, 'spec', 'serviceName'))
  want('ServiceAccount', textAt(pod, 'serviceAccountName'))
  for (const volume of listAt(pod, 'volumes')) {
    want('Secret', textAt(volume, 'secret', 'secretName'))
    want('ConfigMap', textAt(volume, 'configMap', 'name'))
  }
  for (const container of listAt(pod, 'containers')) {
    for (const source of listAt(container, 'envFrom')) {
      want('ConfigMap', textAt(source, 'configMapRef', 'name'))
      want('Secret', textAt(source, 'secretRef', 'name'))
    }
    for (const variable of listAt(container, 'env'))
      want('Secret', textAt(variable, 'valueFrom', 'secretKeyRef', 'name'))
  }
  const there = new Set(all.map((other) => `${textAt(other, 'kind')}/${textAt(other, 'metadata', 'name')}`))
  return [...new Set(wanted)]
    .filter((name) => !there.has(name) && !madeByHand.has(name))
    .map((name) => `names ${name}, which is not there`)
}
