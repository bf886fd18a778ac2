import type { CallOptions, Process, Serve } from '../world/index.js'

/** What is to be done to the next `EndTxn` of any process. */
export class CommitFaults {
  private next: 'answer lost' | 'request lost' | 'held' | 'none' = 'none'
  private release = () => {}

  lose(what: 'answer lost' | 'request lost'): void {
    this.next = what
  }

  hold(): () => void {
    this.next = 'held'
    return () => this.release()
  }

  /** The process, with its next commit going wrong. */
  over(process: Process): Process {
    return Object.create(process, {
      call: {
        value: <T>(options: CallOptions, serve: Serve<T>): Promise<T> =>
          process.call(options, options.label === 'EndTxn' ? this.meddle(serve) : serve),
      },
    })
  }

  private meddle<T>(serve: Serve<T>): Serve<T> {
    const fault = this.next
    this.next = 'none'
    if (fault === 'none') return serve
    return () =>
      new Promise((resolve) => {
        if (fault === 'answer lost') void serve()
        if (fault === 'held') this.release = () => resolve(serve())
      })
  }
}
