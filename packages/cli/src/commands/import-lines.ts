import type { ImportLine } from '@almanac/protocol'
import { Failure, refused } from '../failure.js'
import { progressBar } from '../output/progress.js'
import { visible } from '../output/text.js'
import { type ServerOptions, Session } from '../session.js'
import type { World } from '../world.js'

export interface ImportLinesOptions extends ServerOptions {
  readonly mode?: string
  readonly reason?: string
}

/** Takes in what `almanac tasks export --lines` gave out; each line that is refused is told with its number. */
export const importLines = async (world: World, file: string, options: ImportLinesOptions): Promise<void> => {
  const session = new Session(world, options)
  const lines = await world.readText(file)
  const total = lines.split('\n').filter((line) => line.trim() !== '').length
  const bar = await progressBar(world.err, 'lines', 1_000)
  const { mode, reason } = options
  let done: ImportLine['done']
  try {
    const answer = session.server.lines('/import', { method: 'POST', query: { mode, reason }, lines })
    for await (const text of answer) {
      const line = JSON.parse(text) as ImportLine
      if (line.progress !== undefined) bar.at(line.progress.lines, total)
      if (line.problem !== undefined) tell(session, file, line.problem)
      done = line.done ?? done
    }
  } finally {
    bar.end()
  }
  if (done === undefined)
    throw refused('The answer was cut off: not all lines may have been taken. Send them again.')
  if (session.json) session.document(done)
  else {
    session.line(`${done.created} created, ${done.existing} were there, ${done.failed} refused`)
    session.notice(`To take it back: almanac history undo ${done.correlationId}`)
  }
  if (done.failed > 0) throw new Failure(`${done.failed} of ${done.lines} lines were refused.`, 1)
}

const tell = (
  session: Session,
  file: string,
  { line, name, problem }: NonNullable<ImportLine['problem']>,
) => {
  const { red } = session.world.out.paint
  const fields = problem.errors.map(({ path, message }) => `${path} ${message}`.trim()).join('; ')
  const what = name === null ? '' : ` "${visible(name)}"`
  const why = fields === '' ? (problem.detail ?? problem.title) : fields
  session.world.err.write(`${red(`${file}:${line}`)}${what}: ${visible(why)}\n`)
}
