/** One line that moves on a terminal; elsewhere a line now and then. */
export class Progress {
  private readonly text: () => string
  private readonly timer: NodeJS.Timeout
  private readonly isTerminal = process.stderr.isTTY === true
  private last = 0

  constructor(text: () => string) {
    this.text = text
    this.timer = setInterval(() => this.show(), 1_000)
    this.timer.unref()
  }

  /** What stays on the screen. */
  say(line: string): void {
    process.stderr.write(this.isTerminal ? `\r\u001b[K${line}\n` : `${line}\n`)
  }

  stop(): void {
    clearInterval(this.timer)
    if (this.isTerminal) process.stderr.write('\r\u001b[K')
  }

  private show(): void {
    const now = performance.now()
    if (!this.isTerminal && now - this.last < quietMs) return
    this.last = now
    const text = this.text()
    const width = process.stderr.columns ?? 120
    process.stderr.write(this.isTerminal ? `\r\u001b[K${text.slice(0, width - 1)}` : `${text}\n`)
  }
}

/** Between two lines where nothing can move. */
const quietMs = 10_000
