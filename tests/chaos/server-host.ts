/** A server as a process of its own, as `@almanac/infra` starts them. */
export interface Killable {
  kill(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
  freeze(): void
  thaw(): void
}

/** A server that one fault at a time may be done to. */
export class ServerHost<S extends Killable = Killable> {
  readonly name: string
  readonly server: S
  private isWell = true

  constructor(name: string, server: S) {
    this.name = name
    this.server = server
  }

  /** Ends it at once. The function that comes back starts it again; undefined: something is wrong with it already. */
  crash(): (() => Promise<void>) | undefined {
    if (!this.isWell) return undefined
    this.isWell = false
    const killed = this.server.kill()
    return async () => {
      await killed
      await this.server.start()
      this.isWell = true
    }
  }

  /** It stands still until the function that comes back is called; undefined: something is wrong with it already. */
  freeze(): (() => void) | undefined {
    if (!this.isWell) return undefined
    this.isWell = false
    this.server.freeze()
    return () => {
      this.server.thaw()
      this.isWell = true
    }
  }
}
