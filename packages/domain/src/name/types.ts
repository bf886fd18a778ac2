/** Streams `name-<namespace>-<hash of name>`: who owns a task name. */
export type NameEvent =
  | { readonly type: 'NameReserved'; readonly data: NameReserved }
  | { readonly type: 'NameReleased'; readonly data: { readonly taskId: string } }

export interface NameReserved {
  /** In NFC. */
  readonly name: string
  readonly taskId: string
  /**
   * For a rename or a restoration: the revision of the task that it is decided on. Its event can only be appended right
   * after it, so once the task has moved on, a rename that never came can't come any more. Absent: for
   * a creation.
   */
  readonly atRevision?: number
}

export interface NameState {
  /** The task that holds the name, or null when it is free. */
  readonly taskId: string | null
  readonly name: string | null
  readonly atRevision: number | null
  readonly revision: number
  readonly hash: string
}
