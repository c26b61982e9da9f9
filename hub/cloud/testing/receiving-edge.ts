import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { WebSocket } from 'ws'
import type { Frame } from '../../../schemas/index.ts'
import type { TlsCloud } from './tls-cloud.ts'

export type ReceivingEdge = ReturnType<typeof dialAsEdge>

/** An edge on a real link that acknowledges everything. */
export function dialAsEdge(
  t: Pick<TestContext, 'after'>,
  cloud: TlsCloud,
  identity: { readonly cert: string; readonly key: string },
  node = 'edge-1',
) {
  const headers = { node_id: node, 'x-skerry-wire': '1', 'x-skerry-epoch': 'db-1' }
  const socket = new WebSocket(`wss://127.0.0.1:${cloud.cloudhub.port}/`, {
    ...identity,
    ca: cloud.authority.caPem,
    headers,
  })
  t.after(() => socket.terminate())
  /** As `insert default/device/pump-1`, in order. */
  const got: string[] = []
  const waiting = new Map<string, () => void>()
  socket.on('message', (data) => {
    const frame: Frame = JSON.parse(String(data))
    if (frame.route.group !== 'resource') return
    const line = `${frame.route.operation} ${frame.route.resource}`
    got.push(line)
    waiting.get(line)?.()
    const header = { msg_id: `r${got.length}`, parent_msg_id: frame.header.msg_id, timestamp: 1 }
    socket.send(JSON.stringify({ header, route: { ...frame.route, operation: 'response' }, content: 'OK' }))
  })
  const said = { header: { msg_id: 'keepalive', timestamp: 1 }, route: { operation: 'keepalive' }, content: null }
  const alive = setInterval(() => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(said)), 10_000)
  t.after(() => clearInterval(alive))
  return {
    socket,
    got,
    opened: once(socket, 'open'),
    received: (line: string) =>
      got.includes(line) ? Promise.resolve() : new Promise<void>((resolve) => waiting.set(line, resolve)),
  }
}
