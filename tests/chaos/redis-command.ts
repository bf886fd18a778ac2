import { connect } from 'node:net'

/** Sends one command to a Redis and answers its first line, as it came; '' when there is no answer within 2 s. */
export const ask = (
  server: { readonly host: string; readonly port: number },
  command: string,
): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect({ host: server.host, port: server.port, timeout: 2_000 }, () =>
      socket.write(`${command}\r\n`),
    )
    const settle = (answer: string) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('data', (data) => settle(data.toString().split('\r\n')[0] ?? ''))
    socket.once('error', () => settle(''))
    socket.once('timeout', () => settle(''))
    socket.once('close', () => settle(''))
  })
