/**
 * SQLite answers without waiting, so whoever reads very much, page by page, would keep the event loop to itself: no
 * request would be answered meanwhile and no lease renewed. Between pages others come first.
 */
export const othersTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
