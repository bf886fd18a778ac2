import type { Screen } from '../world.js'

/** A bar that shows how far something long has come. */
export interface Progress {
  at(done: number, total: number): void
  end(): void
}

const silent: Progress = { at: () => undefined, end: () => undefined }

/**
 * A progress bar on `screen` (stderr, so that results can be piped), or nothing when that is no terminal. The bar
 * appears with the first `at` whose total is above `least`: short work needs none.
 */
export const progressBar = async (screen: Screen, label: string, least = 0): Promise<Progress> => {
  if (!screen.isTerminal) return silent
  const { default: cliProgress } = await import('cli-progress')
  const { cyan, dim } = screen.paint
  const bar = new cliProgress.SingleBar({
    format: `${label} ${cyan('{bar}')} {percentage}%  {value}/{total}  ${dim('{eta_formatted} left')}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: Math.max(10, Math.min(40, screen.columns - label.length - 40)),
    hideCursor: true,
    clearOnComplete: true,
    stream: process.stderr,
    fps: 10,
    // Rows are told one by one, but done by the hundred: the speed is taken over several hundreds.
    etaBuffer: 3000,
  })
  let shown = false
  return {
    at: (done, total) => {
      if (!shown && total > least) {
        bar.start(total, done)
        shown = true
      }
      if (shown) {
        bar.setTotal(total)
        bar.update(done)
      }
    },
    end: () => {
      if (shown) bar.stop()
    },
  }
}
