import { randomBytes } from 'node:crypto'
import { connect, type IClientOptions, type IClientPublishOptions, type MqttClient } from 'mqtt'
import type { MapperContext } from '../contract/index.ts'
import { type Address, readCredentials } from './address.ts'
import type { DeviceConfig } from './config.ts'
import { Message } from './message.ts'
import { createPacketScanner } from './packet-scanner.ts'

/** A larger packet of the broker ends the connection. */
const MAX_PACKET_BYTES = 1_048_576
/** Messages of QoS 2 are held until the broker releases them; one that never does would fill the memory. */
const MAX_UNRELEASED_BYTES = 16_777_216

export interface Outgoing {
  readonly topic: string
  readonly payload: string | Uint8Array
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  /** MQTT 5: where the answer belongs, and what it has to carry. */
  readonly respond?: { readonly topic: string; readonly id: string }
}

export interface Heard {
  readonly message: Message
  /** MQTT 5: correlation data. */
  readonly correlation: string | undefined
}

/** One MQTT connection, from its CONNACK to its end. It never connects again by itself. */
export interface Client extends AsyncDisposable {
  readonly id: string
  /** The broker does not send back what this client publishes. */
  readonly isDeaf: boolean
  /** Aborts when the connection has ended, with the reason. */
  readonly gone: AbortSignal
  /** Settles with the receipt of the broker; never where the connection ends before. */
  publish(message: Outgoing): Promise<void>
  /** Which of the filters the broker took. Never settles where the connection ends before. */
  subscribe(filters: readonly string[], qos: 0 | 1 | 2): Promise<readonly boolean[]>
  /** Never settles where the connection ends before. */
  unsubscribe(filters: readonly string[]): Promise<void>
}

/** Connects; `hear` is called for each message from then on. Rejects when the signal aborts first; nothing is left open then. */
export async function openClient(
  address: Address,
  device: DeviceConfig,
  hear: (heard: Heard) => void,
  context: MapperContext,
): Promise<Client> {
  const { signal } = context
  signal.throwIfAborted()
  const credentials = await readCredentials(address, context.log)
  signal.throwIfAborted()
  const id = device.clientId || `skerry-${randomBytes(8).toString('hex')}`
  const isVersion5 = device.protocolVersion === '5'
  const client = connect(address.url.replace(/^tcp:/, 'mqtt:').replace(/^ssl:/, 'mqtts:'), {
    ...optionsOf(device, id),
    ...credentials,
    rejectUnauthorized: address.insecureSkipVerify !== true,
  })
  const gone = endOf(client)
  client.on('message', (topic, payload, packet) => {
    const data = packet.properties?.correlationData
    const message = new Message(topic, payload, packet.retain, context.clock.now())
    hear({ message, correlation: data === undefined ? undefined : new TextDecoder().decode(data) })
  })
  try {
    await greeted(client, gone, signal)
  } catch (error) {
    client.end(true)
    throw signal.aborted ? signal.reason : error
  }
  return new OpenClient(client, id, isVersion5, gone)
}

function optionsOf(device: DeviceConfig, clientId: string): IClientOptions {
  const { keepAlive, cleanSession, protocolVersion } = device
  return {
    ...{ clientId, keepalive: keepAlive, clean: cleanSession, protocolVersion: protocolVersion === '5' ? 5 : 4 },
    ...(protocolVersion === '5' ? { properties: { maximumPacketSize: MAX_PACKET_BYTES } } : {}),
    // The host has a deadline, and connects again.
    ...{ reconnectPeriod: 0, connectTimeout: 60_000, resubscribe: false, queueQoSZero: false, timerVariant: 'native' },
    wsOptions: { maxPayload: MAX_PACKET_BYTES },
  }
}

function endOf(client: MqttClient): AbortSignal {
  const gone = new AbortController()
  const end = (reason: string, cause?: Error) => gone.abort(new Error(reason, cause && { cause }))
  client.on('error', (error) => {
    end(`the connection to the MQTT broker failed: ${wordsOf(error)}`, error)
    // The library does not always close.
    client.stream.destroy()
  })
  client.on('disconnect', ({ reasonCode }) => end(`the MQTT broker ended the connection with reason ${reasonCode}`))
  client.on('close', () => end('the MQTT broker closed the connection'))
  const unreleased = new Map<number, number>()
  let held = 0
  client.on('packetreceive', (packet) => {
    if (packet.cmd !== 'pubrel' && (packet.cmd !== 'publish' || packet.qos !== 2)) return
    const id = packet.messageId ?? 0
    held -= unreleased.get(id) ?? 0
    unreleased.delete(id)
    if (packet.cmd === 'pubrel') return
    held += packet.payload.length
    unreleased.set(id, packet.payload.length)
    if (held <= MAX_UNRELEASED_BYTES) return
    end(`the MQTT broker did not release ${unreleased.size} messages of QoS 2`)
    client.stream.destroy()
  })
  const scanner = createPacketScanner(MAX_PACKET_BYTES)
  client.stream.prependListener('data', (chunk: Uint8Array) => {
    if (gone.signal.aborted || scanner(chunk)) return
    end(`the MQTT broker sent a packet of more than ${MAX_PACKET_BYTES} bytes`)
    client.stream.destroy()
  })
  return gone.signal
}

/** Errors of several addresses come without a message of their own. */
function wordsOf(error: Error): string {
  if (error.message !== '') return error.message
  return 'code' in error ? String(error.code) : error.name
}

function greeted(client: MqttClient, gone: AbortSignal, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    client.once('connect', () => resolve())
    const onGone = () => reject(gone.reason)
    gone.addEventListener('abort', onGone, { once: true })
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    if (gone.aborted) onGone()
  })
}

class OpenClient implements Client {
  readonly id: string
  readonly isDeaf: boolean
  readonly gone: AbortSignal
  readonly #client: MqttClient
  #closing: Promise<void> | undefined

  constructor(client: MqttClient, id: string, isDeaf: boolean, gone: AbortSignal) {
    this.#client = client
    this.id = id
    this.isDeaf = isDeaf
    this.gone = gone
  }

  publish({ topic, payload, qos, retain, respond }: Outgoing): Promise<void> {
    const options: IClientPublishOptions = { qos, retain }
    if (respond) options.properties = { responseTopic: respond.topic, correlationData: Buffer.from(respond.id) }
    const bytes = typeof payload === 'string' ? payload : Buffer.from(payload)
    return new Promise((resolve, reject) => {
      this.#client.publish(topic, bytes, options, (error) => (error ? reject(error) : resolve()))
    })
  }

  subscribe(filters: readonly string[], qos: 0 | 1 | 2): Promise<readonly boolean[]> {
    return new Promise((resolve) => {
      // The library takes one refused filter for a failure of all; the packet says which it was.
      this.#client.subscribe([...filters], { qos, nl: this.isDeaf }, (error, granted) => {
        const codes = error ? codesOf(error) : granted?.map((each) => each.qos)
        if (codes || !this.gone.aborted) resolve(filters.map((_filter, index) => (codes?.[index] ?? 128) < 128))
      })
    })
  }

  unsubscribe(filters: readonly string[]): Promise<void> {
    return new Promise((resolve) => {
      this.#client.unsubscribe([...filters], () => {
        if (!this.gone.aborted) resolve()
      })
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  /** Says goodbye and waits for no receipts. */
  async #end(): Promise<void> {
    const { stream } = this.#client
    if (stream.destroyed) this.#client.end(true)
    else {
      const closed = new Promise<void>((resolve) => stream.once('close', () => resolve()))
      // MQTT 3.1.1 §3.14 and MQTT 5 §3.14.2.1: DISCONNECT, normal. The library would wait for what is under way.
      stream.write(Buffer.from([0xe0, 0]))
      this.#client.end(true)
      await closed
    }
  }
}

function codesOf(error: Error): readonly number[] | undefined {
  const packet = 'packet' in error ? error.packet : undefined
  if (typeof packet !== 'object' || packet === null || !('granted' in packet) || !Array.isArray(packet.granted))
    return undefined
  return packet.granted.map(Number)
}
