import { SimProcess, SimWorld } from '../world/index.js'

/** A world that goes on by itself, so that code outside of it can await what happens in it. */
export interface PumpedWorld {
  readonly world: SimWorld
  readonly process: SimProcess
  close(): Promise<void>
}

export function pumpedWorld(seed = 1): PumpedWorld {
  const world = new SimWorld({ seed })
  let isOpen = true
  const pump = async () => {
    while (isOpen) {
      await new Promise((resolve) => setImmediate(resolve))
      await world.step()
    }
  }
  const pumped = pump()
  return {
    world,
    process: new SimProcess(world, 'tester'),
    close: async () => {
      isOpen = false
      await pumped
    },
  }
}
