/** What a file is, told by its path alone. */

/** Specs, contracts, benches, and the fixtures that only they use. */
export const isTest = (path: string): boolean =>
  /\.(spec|contract|bench|fixture|spec-\w+)\.[cm]?[jt]s$/.test(path) ||
  /(^|\/)(tests|test-support|testing|bench|loadtest)\//.test(path)

/** Suites that `describe` and `it` give their shape. */
export const isSuite = (path: string): boolean => /\.(spec|contract)\.ts$/.test(path)

/** Code that ships: what lies under `src` of a package or service, tests aside. */
export const isSource = (path: string): boolean =>
  /^(packages|services)\/[^/]+\/src\/.*\.[cm]?[jt]sx?$/.test(path) && !isTest(path)

/** Served to a browser, where there are no ports. */
export const isBrowser = (path: string): boolean => /^services\/[^/]+\/src\/page\/.*\.js$/.test(path)

/** `packages/domain` of `packages/domain/src/ids.ts`; undefined outside of packages and services. */
export const packageFolderOf = (path: string): string | undefined =>
  /^((packages|services)\/[^/]+|infra|loadtest)(?=\/)/.exec(path)?.[0]
