import { once } from 'node:events'
import { WebSocket } from 'ws'
import { testAuthority, testIdentity } from '../../platform/certificates/testing/index.ts'
import { ratePerSecond } from './figures.ts'
import { child } from './stage.ts'

/** Round trips a second of so many bytes over one WebSocket with mutual TLS, so many at once. */
export async function echoRate(bytes: number, atOnce: number, milliseconds: number): Promise<number> {
  const authority = await testAuthority()
  const peer = child('echo-peer.ts')
  peer.send(await testIdentity(authority, { commonName: 'echo' }, ['serverAuth']))
  const [port]: unknown[] = await once(peer, 'message')
  const socket = new WebSocket(`wss://127.0.0.1:${port}`, {
    ...(await testIdentity(authority, { commonName: 'bench' }, ['clientAuth'])),
    perMessageDeflate: false,
  })
  await once(socket, 'open')
  const waiting: (() => void)[] = []
  socket.on('message', () => waiting.shift()?.())
  const text = 'x'.repeat(bytes)
  const trip = () =>
    new Promise<void>((resolve) => {
      waiting.push(resolve)
      socket.send(text)
    })
  // The first round warms both ends.
  await ratePerSecond(atOnce, milliseconds / 4, trip)
  const rate = await ratePerSecond(atOnce, milliseconds, trip)
  socket.terminate()
  peer.disconnect()
  return rate
}
