import type { Repository, TextFile } from './repository.js'

/** A package.json of this repository; '' is the root's folder. */
export interface Manifest {
  readonly path: string
  readonly folder: string
  readonly text: string
  readonly name: string
  readonly engines: { readonly node?: string }
  readonly scripts: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly optionalDependencies: Readonly<Record<string, string>>
}

export function manifestsOf({ files }: Pick<Repository, 'files'>): readonly Manifest[] {
  return files
    .filter(({ path }) => /^((packages|services|examples)\/[^/]+\/|loadtest\/|)package\.json$/.test(path))
    .map(manifestOf)
}

function manifestOf({ path, text }: TextFile): Manifest {
  const json = JSON.parse(text) as Partial<Manifest>
  return {
    path,
    folder: path.replace(/\/?package\.json$/, ''),
    text,
    name: json.name ?? path,
    engines: json.engines ?? {},
    scripts: json.scripts ?? {},
    dependencies: json.dependencies ?? {},
    devDependencies: json.devDependencies ?? {},
    optionalDependencies: json.optionalDependencies ?? {},
  }
}

export const allDependencies = (manifest: Manifest): Readonly<Record<string, string>> => ({
  ...manifest.dependencies,
  ...manifest.devDependencies,
  ...manifest.optionalDependencies,
})

/** `@almanac/domain` of `@almanac/domain/task`; undefined for a relative path or a module of Node. */
export function packageNameOf(specifier: string): string | undefined {
  if (/^(\.|\/|node:|file:|https?:)/.test(specifier)) return undefined
  return /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0]
}

/** Line of the first mention of `word`, in quotes, in the manifest. */
export function lineIn(manifest: Manifest, word: string): number {
  const index = manifest.text.split('\n').findIndex((line) => line.includes(`"${word}"`))
  return index === -1 ? 1 : index + 1
}
