import type { ClockState } from './stepped-clock.js'

/** From the harness to a node. */
export interface ToNode {
  readonly clock: ClockState
}

/** From a node to the harness. */
export type FromNode =
  | { readonly kind: 'ready' }
  /** It can't go on, and ends. */
  | { readonly kind: 'fatal'; readonly message: string }
