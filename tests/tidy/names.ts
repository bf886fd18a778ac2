import type { Rule } from './repository.js'

/** Names that say nothing about what is inside. */
const buckets = new Set(['util', 'utils', 'common', 'helper', 'helpers', 'interface', 'interfaces', 'misc'])
const folderBuckets = new Set([...buckets, 'type', 'types'])

/** `date-utils.ts` is a bucket as much as `utils.ts`; `types.ts` is none, a folder `types/` is. */
export const bucketNames: Rule = ({ files }) =>
  files.flatMap(({ path }) => {
    const folders = path.split('/')
    const [stem = ''] = (folders.pop() ?? '').split('.')
    const lastWord = stem.split(/[-_]/).at(-1)?.toLowerCase() ?? ''
    const bad = folders.find((folder) => folderBuckets.has(folder.toLowerCase()))
    if (bad !== undefined) return [{ path, line: 1, message: `the folder ${bad}/ is a bucket` }]
    return buckets.has(lastWord) ? [{ path, line: 1, message: `${stem} is a bucket` }] : []
  })
