import { defineConfig } from 'vitest/config'

// Tests run on the sources: the packages' "almanac-source" export condition points at src/.
export default defineConfig({
  resolve: { conditions: ['almanac-source'] },
  ssr: { resolve: { conditions: ['almanac-source', 'node', 'development'] } },
  test: {
    include: ['{packages,services}/*/src/**/*.spec.ts', 'infra/src/**/*.spec.ts', 'tests/**/*.spec.ts'],
    // These need real servers: `npm run test:cluster`.
    exclude: ['**/node_modules/**', 'tests/cluster/**', 'tests/chaos/**/*.cluster.spec.ts'],
    env: { TZ: 'UTC' },
    testTimeout: 30_000,
  },
})
