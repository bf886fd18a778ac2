import type { CalendarState, Position, ScheduleState, TaskState } from '@almanac/domain'
import type { Affected } from '@almanac/engine'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Api, Host } from './host.js'

/** What a command that has been applied has to be waited for, if the caller wants to. */
interface Applied {
  readonly affected: readonly Affected[]
  readonly position: Position
}

/** How long `?wait=fenced` waits unless `waitMs` says otherwise. */
const fenceWaitMs = 5_000

const commands = new WeakMap<FastifyRequest, Applied>()

/** Notes what the request's command has changed. */
export function changes(reply: FastifyReply, affected: readonly Affected[], position: Position): void {
  commands.set(reply.request, { affected, position })
}

export function affectedBy(state: TaskState | ScheduleState | CalendarState): Affected {
  if ('taskId' in state) return { kind: 'task', taskId: state.taskId }
  const kind = 'scheduleId' in state ? 'schedule' : 'calendar'
  return { kind, namespace: state.namespace, name: state.spec.name }
}

/**
 * With `?wait=fenced` a command is answered once no run of what it has changed can be committed any more, or when its
 * time is over: `Almanac-Fence` tells which, `fenced` or `pending`. Either way the change is stored.
 */
export function awaitFences(api: Api, { app }: Host): void {
  api.addHook('onSend', (request, reply, payload, done) => {
    const applied = commands.get(request)
    const { wait, waitMs = fenceWaitMs } = request.query as { wait?: 'fenced'; waitMs?: number }
    if (wait === undefined || applied === undefined || reply.statusCode >= 300) {
      done(null, payload)
      return
    }
    app.fenced(applied.affected, applied.position, waitMs).then(
      (isFenced) => {
        reply.header('almanac-fence', isFenced ? 'fenced' : 'pending')
        done(null, payload)
      },
      (fault: Error) => done(fault),
    )
  })
}
