// Makes the schemas of this folder from what two registries carry, so that the check itself needs no network:
//   sh infra/check/fetch.sh
// Arguments: _definitions.json of kubernetes-validate's strict schemas, compose.schema.json of dclint.
import { readFileSync, writeFileSync } from 'node:fs'

const [, , definitionsFile, composeFile] = process.argv
const kinds = [
  'apps.v1.Deployment',
  'apps.v1.StatefulSet',
  'core.v1.ConfigMap',
  'core.v1.Namespace',
  'core.v1.PersistentVolumeClaim',
  'core.v1.Secret',
  'core.v1.Service',
  'core.v1.ServiceAccount',
  'networking.v1.NetworkPolicy',
  'policy.v1.PodDisruptionBudget',
].map((kind) => `io.k8s.api.${kind}`)

const all = JSON.parse(readFileSync(definitionsFile, 'utf8')).$defs
const wanted = new Set()
const want = (name) => {
  if (wanted.has(name)) return
  wanted.add(name)
  for (const [, next] of JSON.stringify(all[name]).matchAll(/"#\/\$defs\/([^"]+)"/g)) want(next)
}
for (const kind of kinds) want(kind)

/** What is only said to people goes; a property that is called `description` stays. */
const bare = (schema) => {
  if (Array.isArray(schema)) return schema.map(bare)
  if (typeof schema !== 'object' || schema === null) return schema
  const kept = Object.entries(schema).filter(
    ([key, value]) =>
      !(key === 'description' && typeof value === 'string') && !key.startsWith('x-kubernetes-'),
  )
  return Object.fromEntries(kept.map(([key, value]) => [key, bare(value)]))
}

const write = (name, schema) =>
  writeFileSync(new URL(`schemas/${name}`, import.meta.url), `${JSON.stringify(schema)}\n`)

write('kubernetes-1.35.json', {
  $comment: 'Kubernetes 1.35, unknown fields refused. From kubernetes-validate 1.37.0 (PyPI), Apache-2.0.',
  $defs: Object.fromEntries([...wanted].sort().map((name) => [name, bare(all[name])])),
})
write('compose-spec.json', {
  $comment: 'Compose Specification, Apache-2.0. From dclint 3.1.0 (npm), MIT.',
  ...bare(JSON.parse(readFileSync(composeFile, 'utf8'))),
})
