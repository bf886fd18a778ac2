import { defineConfig } from 'vitest/config'

/** Tests on real servers: one Kafka broker and one Redis are started for all of them. */
export default defineConfig({
  resolve: { conditions: ['almanac-source'] },
  ssr: { resolve: { conditions: ['almanac-source', 'node', 'development'] } },
  test: {
    include: ['tests/cluster/**/*.spec.ts', 'tests/chaos/**/*.cluster.spec.ts'],
    globalSetup: ['tests/cluster/servers.ts'],
    env: { TZ: 'UTC' },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two cores serve the broker too.
    maxWorkers: 1,
  },
})
