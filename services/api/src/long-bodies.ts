import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** Whoever sends a long body may take his time, but not fall silent for so long. */
const silenceMs = 60_000

const sending = new WeakSet<Socket>()

export const isLongBody = (socket: Socket): boolean => sending.has(socket)

/** Lifts the time limit for a whole request from this one; its connection serves no other after it. */
export function takeLongBody({ raw }: FastifyRequest, reply: FastifyReply): void {
  sending.add(raw.socket)
  raw.socket.setTimeout(silenceMs, () => raw.socket.destroy())
  reply.header('connection', 'close')
}
