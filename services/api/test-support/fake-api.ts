import { SeededRandom } from '@almanac/engine'
import { buildApi } from '../src/build-api.js'
import type { Api, ApiOptions } from '../src/host.js'
import { FakeApplication, now } from './fake-application.js'

export const tasks = '/v1/namespaces/default/tasks'
export const daily = { name: 'daily', task: 'a.b', schedule: { crontab: { expression: '0 2 * * *' } } }

export interface TestApi {
  readonly api: Api
  readonly fake: FakeApplication
}

/** The API over a fake, with a clock that stands still; nobody has to show who he is. */
export async function fakeApi(options: Partial<ApiOptions> = {}): Promise<TestApi> {
  const fake = new FakeApplication()
  const clock = { now: () => now, elapsed: () => 0, sleep: async () => {} }
  const api = await buildApi({
    app: fake.app,
    clock,
    access: { isLocal: true },
    random: new SeededRandom(1),
    instanceToken: 't',
    version: '0.0.0',
    ...options,
  })
  return { api, fake }
}
