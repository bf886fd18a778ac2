import { clockContract } from '@almanac/engine/contracts/clock'
import { randomContract } from '@almanac/engine/contracts/random'
import { systemClock } from './clock.js'
import { systemRandom } from './random.js'

clockContract('system', () => {
  const clock = systemClock()
  return { clock, pass: (ms) => clock.sleep(ms) }
})

randomContract('system', systemRandom)
