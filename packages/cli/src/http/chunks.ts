const maxOperations = 500
/** Of a request; the server takes 4 MiB. */
const maxBytes = 3_500_000

/**
 * Bulk requests within the server's limits, in the order given. An operation that is too large by itself stands alone,
 * to be refused alone.
 */
export const chunked = <E extends { readonly operation: unknown }>(
  entries: readonly E[],
): readonly (readonly E[])[] => {
  const chunks: E[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const entry of entries) {
    const size = Buffer.byteLength(JSON.stringify(entry.operation)) + 1
    const last = chunks.at(-1)
    if (!last || last.length >= maxOperations || bytes + size > maxBytes) {
      chunks.push([entry])
      bytes = size
    } else {
      last.push(entry)
      bytes += size
    }
  }
  return chunks
}
