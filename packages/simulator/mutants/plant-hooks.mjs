// Module hooks that change the source of single modules. An edit that does not fit its file any more is an error: a
// mutant that plants nothing would be "not caught", or worse, caught for another reason.
let edits = []

export function initialize(data) {
  edits = data
}

export async function load(url, context, next) {
  const loaded = await next(url, context)
  const here = edits.filter(({ file }) => url.endsWith(`/${file}`))
  if (here.length === 0) return loaded
  let source = Buffer.from(loaded.source).toString()
  for (const { file, find, replace } of here) {
    if (source.split(find).length !== 2)
      throw new Error(`${file} has not exactly one place that reads: ${find}`)
    source = source.replace(find, () => replace)
  }
  return { ...loaded, source }
}
