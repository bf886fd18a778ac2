import { closeSync, openSync, readSync, writeFileSync } from 'node:fs'
import { checkHistory, type HistoryReport, historyPage, readHistory } from '@almanac/history'

/** Judges a history as `almanac history check` does, and writes its page. */
export function judge(path: string, pagePath: string): HistoryReport {
  const records = [...readHistory(linesOf(path))]
  const report = checkHistory(records)
  writeFileSync(pagePath, historyPage(report, records))
  return report
}

/** A long run's history does not fit into one string. */
function* linesOf(path: string): Generator<string> {
  const file = openSync(path, 'r')
  const bytes = Buffer.alloc(2 ** 20)
  let rest = Buffer.alloc(0)
  for (let read = readSync(file, bytes); read > 0; read = readSync(file, bytes)) {
    const piece = Buffer.concat([rest, bytes.subarray(0, read)])
    let start = 0
    for (let end = piece.indexOf(10); end >= 0; end = piece.indexOf(10, start)) {
      yield piece.toString('utf8', start, end)
      start = end + 1
    }
    rest = piece.subarray(start)
  }
  closeSync(file)
  if (rest.length > 0) yield rest.toString('utf8')
}
