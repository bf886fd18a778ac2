import { posix } from 'node:path'
import { at, entriesAt, listAt, textAt, type Value } from './documents.js'
import { imageProblem, type Known, variableProblems } from './rules.js'

interface Service {
  readonly name: string
  readonly value: Value
}

/** What the schema cannot know: names that must be there, and what production asks of each container. */
export function composeRuleProblems(path: string, document: Value, known: Known): readonly string[] {
  const services = entriesAt(document, 'services').map(([name, value]) => ({ name, value }))
  return services.flatMap((service) =>
    [
      ...imageProblems(service),
      ...lifeProblems(service),
      ...referenceProblems(service, document),
      ...mountProblems(service, document, path, known),
      ...variableProblems(
        entriesAt(service.value, 'environment').map(([name]) => name),
        known,
      ),
    ].map((problem) => `${service.name}: ${problem}`),
  )
}

/** With what stands in when a variable is not set. */
const resolved = (text: string) => text.replaceAll(/\$\{\w+:?[-?]([^}]*)\}/g, (_, instead: string) => instead)

function imageProblems({ value }: Service): readonly string[] {
  const image = textAt(value, 'image')
  if (image === '') return ['there is no image']
  const problem = imageProblem(resolved(image))
  return problem === undefined ? [] : [problem]
}

function lifeProblems({ value }: Service): readonly string[] {
  const problems: string[] = []
  if (textAt(value, 'restart') === '') problems.push('restart is missing')
  if (textAt(value, 'deploy', 'resources', 'limits', 'memory') === '')
    problems.push('deploy.resources.limits.memory is missing')
  // Our own image brings its check along.
  if (at(value, 'healthcheck') === undefined && at(value, 'build') === undefined)
    problems.push('healthcheck is missing')
  return problems
}

function referenceProblems({ value }: Service, document: Value): readonly string[] {
  const dependencies = [
    ...listAt(value, 'depends_on').map((name) => [`${name}`, ''] as const),
    ...entriesAt(value, 'depends_on').map(([name, how]) => [name, textAt(how, 'condition')] as const),
  ]
  const unknown = dependencies.flatMap(([name, condition]) => {
    const other = at(document, 'services', name)
    if (other === undefined) return [`depends on ${name}, which is not there`]
    const isChecked = at(other, 'healthcheck') !== undefined || at(other, 'build') !== undefined
    return condition === 'service_healthy' && !isChecked
      ? [`waits for ${name}, which has no healthcheck`]
      : []
  })
  const networks = listAt(value, 'networks').filter((name) => !has(document, 'networks', `${name}`))
  return [...unknown, ...networks.map((name) => `the network ${name} is not declared`)]
}

const has = (document: Value, section: string, name: string) =>
  entriesAt(document, section).some(([known]) => known === name)

/** Made before the first start, and not in the repository. */
const madeByHand = /^\.\/certificates\//

function mountProblems({ value }: Service, document: Value, path: string, known: Known): readonly string[] {
  return listAt(value, 'volumes').flatMap((mount) => {
    const [source = ''] = `${mount}`.split(':')
    if (madeByHand.test(source)) return []
    if (!source.startsWith('.'))
      return has(document, 'volumes', source) ? [] : [`the volume ${source} is not declared`]
    const file = posix.join(posix.dirname(path), source)
    return known.hasFile(file) ? [] : [`mounts ${file}, which is not there`]
  })
}

/** The variables that a compose file demands must be in the example of its `.env`. */
export function environmentFileProblems(text: string, example: string): readonly string[] {
  const given = new Set([...example.matchAll(/^(\w+)=/gm)].map(([, name]) => name))
  const demanded = new Set([...text.matchAll(/\$\{(\w+)/g)].map(([, name]) => name ?? ''))
  return [...demanded].filter((name) => !given.has(name)).map((name) => `.env.example does not name ${name}`)
}
