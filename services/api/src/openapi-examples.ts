import { namespacePath } from './host.js'

const nightly = { crontab: { expression: '0 2 * * *', timezone: 'Europe/Warsaw' } }
const backup = { name: 'nightly backup', task: 'app.backup', schedule: nightly, kwargs: { full: true } }

/** What is sent, by method and path as routes are registered. */
export const bodyExamples: { readonly [route: string]: object } = {
  [`POST ${namespacePath}/tasks`]: { ...backup, queue: 'backups', labels: { team: 'platform' } },
  [`PUT ${namespacePath}/tasks/by-name/:name`]: backup,
  [`PATCH ${namespacePath}/tasks/:id`]: { priority: 3, labels: { team: 'data' } },
  [`POST ${namespacePath}/tasks/:id/disable`]: { reason: 'maintenance until noon' },
  [`POST ${namespacePath}/tasks/:id/trigger`]: { kwargs: { full: false } },
  [`POST ${namespacePath}/tasks/bulk`]: {
    reason: 'moved to another queue',
    operations: [
      { op: 'put', task: { ...backup, name: 'weekly backup', queue: 'slow' } },
      { op: 'create', task: { ...backup, name: 'monthly backup' } },
    ],
  },
  [`POST ${namespacePath}/schedules`]: { name: 'nightly', schedule: nightly },
  [`POST ${namespacePath}/schedules/preview`]: { schedule: nightly, count: 3 },
  [`POST ${namespacePath}/calendars`]: { name: 'holidays', days: { dates: ['2026-12-25', '2026-12-26'] } },
  [`POST ${namespacePath}/queues/:queue/lease`]: { max: 10, waitMs: 0, worker: 'worker-1' },
  'POST /v1/keys': { name: 'ci', scopes: ['tasks:read', 'tasks:write'], namespaces: ['default'] },
}
