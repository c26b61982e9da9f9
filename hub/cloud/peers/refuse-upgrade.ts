import type { Duplex } from 'node:stream'
import { type Clock, seconds } from '../../../platform/time/index.ts'

/** A peer that does not read why it is refused is cut off after this. */
const REFUSAL_WITHIN = seconds(5)

/** Answers an upgrade with the reason why not, and closes. */
export function refuseUpgrade(
  socket: Duplex,
  { status, reason }: { readonly status: number; readonly reason: string },
  clock: Clock,
): void {
  socket.on('error', () => socket.destroy())
  const head = `HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Type: text/plain\r\n`
  const late = clock.after(REFUSAL_WITHIN, () => socket.destroy())
  socket.once('close', () => late[Symbol.dispose]())
  socket.end(`${head}Content-Length: ${Buffer.byteLength(reason) + 1}\r\n\r\n${reason}\n`, () => socket.destroy())
}
