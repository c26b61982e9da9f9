import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { Aedes, type PublishPacket } from 'aedes'
import type { ConformanceServer } from '../../testing/index.ts'

/** A broker with two devices in it, `plug/0` and `plug/1`, whose faults can be scripted. */
export interface DeviceBroker extends ConformanceServer {
  readonly port: number
  /** What the devices hold, by `DEVICE/NAME`, as payloads. */
  readonly values: Map<string, string>
  /** What was published by clients, `topic payload`. */
  readonly heard: string[]
  /** How many topic filters clients hold. */
  readonly subscriptions: number
  publish(topic: string, payload: string, retain?: boolean): Promise<void>
}

/**
 * The devices answer `plug/N/get/NAME` on `plug/N/state/NAME`, and take `plug/N/set/NAME`; `fixed` they refuse, with a text on
 * `plug/N/result`.
 */
export async function startDeviceBroker(values: Readonly<Record<string, string>>): Promise<DeviceBroker> {
  const broker = await Aedes.createBroker()
  const sockets = new Set<Socket>()
  const held = new Map(Object.entries(values))
  const heard: string[] = []
  const waiting: (() => void)[] = []
  let mode: 'answers' | 'silent' | 'holds' | 'garbles' = 'answers'
  const silent = new Map<string, 'silent' | 'holds'>()
  let requests = 0
  let subscriptions = 0
  broker.on('subscribe', (list) => {
    subscriptions += list.length
  })
  broker.on('unsubscribe', (list) => {
    subscriptions -= list.length
  })
  const publish = (topic: string, payload: string, retain = false) =>
    new Promise<void>((resolve, reject) => {
      const packet: PublishPacket = { cmd: 'publish', topic, payload: Buffer.from(payload), qos: 1, retain, dup: false }
      broker.publish(packet, (error) => (error ? reject(error) : resolve()))
    })
  const say = (device: string, topic: string, payload: string) => {
    const state = silent.get(device) ?? mode
    const now = () => void publish(topic, state === 'garbles' ? '\u0000}{' : payload)
    if (state === 'holds') waiting.push(now)
    else if (state !== 'silent') now()
  }
  broker.on('publish', ({ topic, payload }, client) => {
    if (!client) return
    heard.push(`${topic} ${payload}`)
    const [, device = '', verb, name] = topic.split('/')
    requests++
    if (verb === 'set' && name === 'fixed') return say(device, `plug/${device}/result`, 'ERR read-only')
    if (verb === 'set') {
      held.set(`${device}/${name}`, String(payload))
      say(device, `plug/${device}/result`, 'OK')
    }
    if (verb === 'get' || verb === 'set') {
      say(device, `plug/${device}/state/${name}`, held.get(`${device}/${name}`) ?? 'no such thing')
    }
  })
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    broker.handle(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const drop = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port,
    values: held,
    heard,
    get connections() {
      return sockets.size
    },
    get requests() {
      return requests
    },
    get subscriptions() {
      return subscriptions
    },
    publish,
    silence: () => {
      mode = 'silent'
    },
    hold: () => {
      mode = 'holds'
    },
    garble: () => {
      mode = 'garbles'
    },
    silenceDevice: (index) => void silent.set(String(index), 'silent'),
    holdDevice: (index) => void silent.set(String(index), 'holds'),
    async resume() {
      mode = 'answers'
      silent.clear()
      for (const late of waiting.splice(0)) late()
    },
    drop,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      drop()
      await closed
      await new Promise<void>((resolve) => broker.close(resolve))
    },
  }
}
