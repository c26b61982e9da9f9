import type { Duplex } from 'node:stream'
import type { Exchange } from '../answers/answer.ts'

/** The bare connection of a request that asks for another protocol, with what came behind its head; undefined for others. */
export function takeSocket({
  response,
  upgrade,
}: Exchange): { readonly socket: Duplex; readonly head: Buffer } | undefined {
  if (!upgrade) return undefined
  // Its answer would end the connection.
  if (response.socket) response.detachSocket(response.socket)
  return upgrade
}
