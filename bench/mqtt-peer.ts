import { createServer } from 'node:net'
import { Aedes } from 'aedes'

/**
 * An MQTT broker in a process of its own, with so many plugs (argument) that publish as fast as it brings their messages to
 * whoever has subscribed.
 */
const plugs = Number(process.argv[2] ?? 1)
const IN_FLIGHT = 64
const broker = await Aedes.createBroker()
const counts = new Map<number, number>()
let turn = 0
let listening = 0
let running = 0

const next = () => {
  if (listening === 0) {
    running--
    return
  }
  const plug = turn++ % plugs
  const count = (counts.get(plug) ?? 0) + 1
  counts.set(plug, count)
  const payload = JSON.stringify({ power: count, voltage: count + 1, energy: { total: count + 2 } })
  // Through the event loop, or nothing else would have its turn.
  broker.publish(
    { cmd: 'publish', topic: `plug/${plug}/state`, payload: Buffer.from(payload), qos: 1, retain: false, dup: false },
    () => setImmediate(next),
  )
}
broker.on('subscribe', () => {
  listening = 1
  for (; running < IN_FLIGHT; running++) setImmediate(next)
})
broker.on('clientDisconnect', () => {
  listening = 0
})
const server = createServer({ noDelay: true }, (socket) => broker.handle(socket))
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.(typeof address === 'object' && address !== null ? address.port : 0)
})
process.on('disconnect', () => process.exit(0))
