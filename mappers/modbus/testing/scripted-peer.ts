import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

export interface Asked {
  readonly unitId: number
  readonly pdu: Buffer
  /** Sends a PDU with the number of this request, now or later. */
  send(pdu: readonly number[]): void
  readonly socket: Socket
}

/** The PDU that answers a request, or nothing. */
export type Script = (asked: Asked) => readonly number[] | undefined

/** A Modbus TCP server that says what a script says, also what no device should. It takes whole requests only. */
export async function startScriptedPeer(t: TestContext, script: Script) {
  /** Requests as they came, e.g. `7: 0300000001`. */
  const requests: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', (data) => {
      const [unitId = 0, pdu] = [data[6], data.subarray(7)]
      requests.push(`${unitId}: ${pdu.toString('hex')}`)
      const send = (answer: readonly number[]) =>
        void socket.write(Uint8Array.of(data[0] ?? 0, data[1] ?? 0, 0, 0, 0, answer.length + 1, unitId, ...answer))
      const answer = script({ unitId, pdu, send, socket })
      if (answer) send(answer)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  return { port: typeof address === 'object' && address !== null ? address.port : 0, requests }
}
