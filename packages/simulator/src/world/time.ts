/** Time in a world is a whole number of these parts of a millisecond, so that sums of times are exact. */
export const grainsPerMs = 1024

/** The next grain: a wait never ends early. */
export const upToGrain = (ms: number): number => Math.ceil(ms * grainsPerMs) / grainsPerMs

export const downToGrain = (ms: number): number => Math.floor(ms * grainsPerMs) / grainsPerMs
