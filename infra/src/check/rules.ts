/** Rules that compose files and Kubernetes manifests share. */

/** What a check needs to know of the rest of the repository. */
export interface Known {
  /** The `ALMANAC_` variables that a node reads. */
  readonly variables: ReadonlySet<string>
  /** True when the repository has this file or folder. */
  hasFile(path: string): boolean
}

/** What the listener for operations answers to. */
export const probePaths: readonly string[] = ['/livez', '/readyz', '/startupz']

/** A tag that says which version; `latest` and a digestless name mean another image tomorrow. */
export function imageProblem(image: string): string | undefined {
  const name = image.split('@')[0] ?? ''
  const tag = /:([^:/]+)$/.exec(name)?.[1]
  if (image.includes('@sha256:')) return undefined
  if (tag === undefined) return `the image ${image} has no tag`
  return /\d/.test(tag) && tag !== 'latest' ? undefined : `the image ${image} is not pinned to a version`
}

export const variableProblems = (names: readonly string[], { variables }: Known): readonly string[] =>
  names
    .filter((name) => name.startsWith('ALMANAC_') && !variables.has(name))
    .map((name) => `a node has no option ${name}`)
