import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { IConnackPacket, IPublishPacket, MqttClient } from 'mqtt'
import type { Clock } from '../../../time/index.ts'
import { ms } from '../../../time/index.ts'
import { type BrokerAddress, type Credentials, type Endpoint, endpointOf, readCredentials } from './address.ts'
import type { BrokerConnection, Dial, Incoming, Receive } from './connection.ts'
import { createPacketScanner } from './packet-scanner.ts'

export interface DialOptions {
  readonly address: BrokerAddress
  readonly clientId: string
  /** A larger packet of the broker ends the connection. */
  readonly maxPacketBytes: number
  readonly clock: Clock
}

/** A ping after so much silence; a broker that does not answer within half of it is gone. */
const KEEP_ALIVE_SECONDS = 30
/** Tells the library that the receipt is not its business. */
const HELD = new Error('the receipt is given by who asked for the message')

/** Connections of MQTT 3.1.1 with a clean session. The library is loaded by the first. Throws a ConfigError. */
export function createDial(options: DialOptions): Dial {
  const endpoint = endpointOf(options.address)
  return async (receive, signal) => {
    const credentials = await readCredentials(options.address, endpoint)
    const { MqttClient } = await import('mqtt')
    signal.throwIfAborted()
    const socket = openSocket(endpoint, credentials)
    const onAbort = () => void socket.destroy()
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      await opened(socket, endpoint)
      signal.throwIfAborted()
      const client = new MqttClient(() => socket, {
        protocolVersion: 4,
        clean: true,
        clientId: options.clientId,
        keepalive: KEEP_ALIVE_SECONDS,
        // Who dials has a deadline and connects again.
        reconnectPeriod: 0,
        connectTimeout: 600_000,
        resubscribe: false,
        timerVariant: timersOf(options.clock),
        ...(options.address.username === undefined ? {} : { username: options.address.username }),
        ...(credentials.password === undefined ? {} : { password: credentials.password }),
      })
      const connection = wrap(client, socket)
      const isTooLarge = limitPackets(socket, options.maxPacketBytes, connection)
      handOver(client, socket, (message, receipt) => {
        // The library reads on in what it has.
        if (!isTooLarge()) receive(message, receipt)
      })
      await Promise.race([connacked(client), failed(connection.closed)])
      signal.throwIfAborted()
      return connection
    } catch (error) {
      socket.destroy()
      throw signal.aborted ? signal.reason : error
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }
}

function openSocket({ host, port, isTls }: Endpoint, { tls }: Credentials): Socket {
  return isTls ? connectTls({ host, port, ...tls }) : connectPlain({ host, port, noDelay: true })
}

function opened(socket: Socket, { isTls }: Endpoint): Promise<void> {
  return new Promise((resolve, reject) => {
    // Stays: an error without a listener would end the process.
    socket.on('error', reject)
    socket.once('close', () => reject(new Error('the connection was closed')))
    socket.once(isTls ? 'secureConnect' : 'connect', resolve)
  })
}

function connacked(client: MqttClient): Promise<IConnackPacket> {
  return new Promise((resolve) => client.once('connect', resolve))
}

async function failed(closed: Promise<string>): Promise<never> {
  throw new Error(await closed)
}

function wrap(client: MqttClient, socket: Socket): BrokerConnection {
  let reason: string | undefined
  const closed = new Promise<string>((resolve) => {
    socket.once('close', () => resolve(reason ?? 'the broker closed the connection'))
  })
  const abort = (why: string) => {
    reason ??= why
    socket.destroy()
  }
  client.on('error', (error) => {
    // An unauthorized client is told by CONNACK; whatever the error, the library does not always close.
    abort(error.message.replace(/^Connection refused: /, 'it refuses this client: '))
  })
  return {
    closed,
    publish({ topic, payload, retain }, done) {
      const content = typeof payload === 'string' ? payload : asBuffer(payload)
      client.publish(topic, content, { qos: 1, retain }, (error) => {
        if (!error) done()
      })
    },
    subscribe: (filter, qos) =>
      new Promise((resolve, reject) => {
        client.subscribe(filter, { qos }, (error, granted) => {
          if (!error) resolve(granted?.every((each) => each.qos < 128) ?? true)
          else if (socket.destroyed) reject(error)
          // Refused by the broker, or by the library because no filter looks so.
          else resolve(false)
        })
      }),
    unsubscribe: (filter) =>
      new Promise((resolve, reject) => {
        client.unsubscribe(filter, (error) => (error ? reject(error) : resolve()))
      }),
    end() {
      reason ??= 'this side ended it'
      client.end()
    },
    abort,
  }
}

/** True once the broker has sent a packet that is too large. */
function limitPackets(socket: Socket, maxBytes: number, connection: BrokerConnection): () => boolean {
  const scanner = createPacketScanner(maxBytes)
  let isTooLarge = false
  socket.prependListener('data', (chunk: Uint8Array) => {
    if (isTooLarge || scanner(chunk)) return
    isTooLarge = true
    connection.abort(`it sent a packet of more than ${maxBytes} bytes`)
  })
  return () => isTooLarge
}

/** The library takes one message after the other and answers for each; here many are worked on at a time. */
function handOver(client: MqttClient, socket: Socket, receive: Receive): void {
  client.handleMessage = (packet, callback) => {
    const { qos, messageId } = packet
    const message = messageOf(packet)
    // To a subscription of QoS 1 none comes at QoS 2; from a broker that sends one it is taken alone.
    if (qos === 2) receive(message, { proceed: () => undefined, acknowledge: () => callback() })
    else if (qos === 0) receive(message, { proceed: () => callback(), acknowledge: () => undefined })
    else {
      receive(message, {
        proceed: () => callback(HELD),
        // MQTT 3.1.1 §3.4: PUBACK, two bytes of packet identifier.
        acknowledge: () => {
          if (messageId !== undefined && socket.writable) {
            socket.write(Buffer.from([0x40, 2, messageId >> 8, messageId & 255]))
          }
        },
      })
    }
  }
}

function messageOf({ topic, payload, qos, retain }: IPublishPacket): Incoming {
  return { topic, payload: typeof payload === 'string' ? Buffer.from(payload) : payload, qos, retain }
}

function timersOf(clock: Clock) {
  const running = new Map<number, Disposable>()
  let last = 0
  return {
    set(callback: () => void, milliseconds: number): number {
      const id = ++last
      const again = () => running.set(id, clock.after(ms(milliseconds), tick))
      const tick = () => {
        again()
        callback()
      }
      again()
      return id
    },
    clear(id: number): void {
      running.get(id)?.[Symbol.dispose]()
      running.delete(id)
    },
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
