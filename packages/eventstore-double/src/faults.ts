import { pause } from './world.js'

/** What may be wrong with the server, to be changed while it runs. */
export class Faults {
  /** So many of the next appends are applied and never answered. */
  dropAnswers = 0
  /** So many of the next appends are applied, and all connections are cut instead of an answer. */
  cutAfterApply = 0
  /** So many of the next appends are refused with the server's own timeout; they are applied all the same. */
  timeoutAfterApply = 0
  /** So many of the next appends are refused because the server is too busy; they are not applied. */
  tooBusy = 0
  /** Answers of repeated appends don't say where the events are, as servers do that have forgotten it. */
  repeatsWithoutPosition = false
  /** A repeated append is not known again, and refused as a conflict. */
  forgetsRepeats = false
  /** Every answer to an append waits so long. Milliseconds. */
  answerDelayMs = 0
  /** Another server leads: calls that need the leader are refused and sent there. */
  leader: { readonly host: string; readonly port: number } | null = null
  /** A deposed leader that has not heard of it: nothing after this position is shown to anybody. */
  frozenAt: number | null = null
  /** Subscriptions that began before the newest silence never say anything again. */
  silences = 0
  private held: Promise<void> | null = null
  private letGo: () => void = () => {}

  /** Takes requests and answers nothing, until `release`. Subscriptions stand still too. */
  hang(): void {
    this.held ??= new Promise((resolve) => {
      this.letGo = resolve
    })
  }

  /** The subscriptions that there are say nothing any more; everything else goes on, new ones too. */
  silenceSubscriptions(): void {
    this.silences += 1
  }

  release(): void {
    this.letGo()
    this.held = null
  }

  get isHanging(): boolean {
    return this.held !== null
  }

  /** To be awaited before anything is answered. */
  async gate(): Promise<void> {
    while (this.held !== null) await this.held
  }

  async delay(): Promise<void> {
    if (this.answerDelayMs > 0) await pause(this.answerDelayMs)
  }

  /** Newest position that a reader may see. */
  get limit(): number {
    return this.frozenAt ?? Number.MAX_SAFE_INTEGER
  }

  heal(): void {
    this.dropAnswers = 0
    this.cutAfterApply = 0
    this.timeoutAfterApply = 0
    this.tooBusy = 0
    this.repeatsWithoutPosition = false
    this.forgetsRepeats = false
    this.answerDelayMs = 0
    this.leader = null
    this.frozenAt = null
    this.release()
  }
}
