/** Streams `name-<namespace>-<hash of name>`: who owns a task name. */
export type NameEvent =
  | { readonly type: 'NameReserved'; readonly data: { readonly name: string; readonly taskId: string } }
  | { readonly type: 'NameReleased'; readonly data: { readonly taskId: string } }

export interface NameState {
  /** The task that holds the name, or null when it is free. */
  readonly taskId: string | null
  readonly revision: number
  readonly hash: string
}
