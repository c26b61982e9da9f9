import { connect, type MqttClient } from 'mqtt'
import { type Clock, ms } from '../../../platform/time/index.ts'
import { formatValue, type PropertyType, parseValue } from '../../../schemas/index.ts'
import { type DeviceConfig, deviceConfig } from '../../mqtt/config.ts'
import { fillTopic } from '../../mqtt/topics.ts'
import { type VisitorConfig, visitorConfig } from '../../mqtt/visitor.ts'
import { documentAt } from '../../payload/index.ts'
import type { FaultyAnswers } from '../faults/faulty-answers.ts'
import type { SimulatedDevice } from '../simulated-device.ts'
import { takeCommand } from './command-pattern.ts'
import { statePayload } from './state-payload.ts'

export interface MqttDeviceOptions {
  readonly url: string
  readonly device: SimulatedDevice
  readonly clock: Clock
  readonly answers: FaultyAnswers
  onRequest(): void
}

interface Part {
  readonly name: string
  readonly type: PropertyType
  readonly visitor: VisitorConfig
  readonly topic: (template: string) => string
}

/** How often it looks whether there is something new to say. */
const PERIOD_MS = 1000

/** One device that speaks MQTT as its visitors say: states, commands and their answers, questions, presence with a last will. */
export class MqttDevice {
  readonly #options: MqttDeviceOptions
  readonly #config: DeviceConfig
  readonly #parts: readonly Part[]
  readonly #said = new Map<string, string>()
  #client: MqttClient | undefined
  #timer: Disposable | undefined

  /** Throws for a device whose configuration the mapper would refuse. */
  constructor(options: MqttDeviceOptions) {
    this.#options = options
    const { device } = options
    const parsed = deviceConfig.parse({ ...device.configData, broker: options.url })
    if (!parsed.ok) throw new Error(`${device.name}: ${parsed.issues[0]?.pointer} ${parsed.issues[0]?.message}`)
    this.#config = parsed.value
    this.#parts = device.properties.map(({ model, visitor }) => {
      const own = visitorConfig.parse(visitor)
      if (!own.ok) throw new Error(`${device.name}: ${model.name}: ${own.issues[0]?.pointer} ${own.issues[0]?.message}`)
      if (own.value.binary) throw new Error(`${device.name}: ${model.name}: binary payloads are not simulated`)
      const { base, variables } = parsed.value
      const scope = { deviceId: `default/${device.name}`, property: model.name, base, variables }
      const topic = (template: string) => fillTopic(template, scope)
      return { name: model.name, type: model.type ?? 'STRING', visitor: own.value, topic }
    })
  }

  get isConnected(): boolean {
    return this.#client?.connected === true
  }

  /** Settles when it is at the broker; rejects when the first try fails. Later it comes back by itself. */
  async start(): Promise<void> {
    if (this.#client) return
    const client = connect(this.#options.url, {
      clientId: `simulated-${this.#options.device.name}`,
      ...{ reconnectPeriod: 500, connectTimeout: 10_000 },
      ...(this.#presence('offline') ? { will: this.#presence('offline') } : {}),
    })
    this.#client = client
    // A broker that is away is what a device has to live with.
    client.on('error', () => undefined)
    client.on('message', (topic, payload) => this.#hear(topic, payload))
    client.on('connect', () => void this.#greet(client))
    try {
      await new Promise<void>((resolve, reject) => {
        client.once('connect', () => resolve())
        client.once('error', reject)
        client.once('close', () => reject(new Error('the MQTT broker closed the connection')))
      })
    } catch (error) {
      this.#client = undefined
      client.end(true)
      throw error
    }
    this.#tick()
  }

  /** Says goodbye. */
  async close(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    this.#timer?.[Symbol.dispose]()
    if (!client) return
    const last = this.#presence('offline')
    if (last && client.connected) {
      await client.publishAsync(last.topic, last.payload, { qos: 1, retain: true }).catch(() => undefined)
    }
    await client.endAsync(true)
  }

  /** Vanishes without a word, as when the power fails: the broker says its last will. */
  vanish(): void {
    const client = this.#client
    this.#client = undefined
    this.#timer?.[Symbol.dispose]()
    client?.stream.destroy()
    client?.end(true)
  }

  async #greet(client: MqttClient): Promise<void> {
    const topics = this.#parts.flatMap(({ visitor, topic }) =>
      [visitor.commandTopic, visitor.getTopic].filter((each) => each !== undefined).map(topic),
    )
    if (topics.length > 0) await client.subscribeAsync([...new Set(topics)], { qos: 1 }).catch(() => undefined)
    const here = this.#presence('online')
    if (here && client.connected) client.publish(here.topic, here.payload, { qos: 1, retain: true })
    this.#said.clear()
    this.#sayAll()
  }

  #presence(word: 'online' | 'offline') {
    const { availability } = this.#config
    if (!availability) return undefined
    const topic = this.#parts[0]?.topic(availability.topic) ?? availability.topic
    const text = availability[word]
    const { pointer } = availability
    const payload = pointer === undefined ? text : JSON.stringify(documentAt([[pointer, text]]))
    return { topic, payload: Buffer.from(payload), qos: 1, retain: true } as const
  }

  #tick(): void {
    this.#sayAll()
    this.#timer = this.#options.clock.after(ms(PERIOD_MS), () => this.#tick())
  }

  #sayAll(): void {
    const topics = new Set(
      this.#parts.flatMap(({ visitor, topic }) => (visitor.topic === undefined ? [] : [topic(visitor.topic)])),
    )
    for (const topic of topics) this.#say(topic, false)
  }

  /** Also where nothing changed, when it was asked. */
  #say(topic: string, isAsked: boolean): void {
    const { device, clock } = this.#options
    const own = this.#parts.filter(
      (part) => part.visitor.topic !== undefined && part.topic(part.visitor.topic) === topic,
    )
    const parts = own.map(({ name, type, visitor }) => ({ type, visitor, value: device.read(name) }))
    const news = parts.map(({ value }) => formatValue(value)).join('\n')
    if (!isAsked && this.#said.get(topic) === news) return
    this.#said.set(topic, news)
    const isKept = own.every(({ visitor }) => visitor.getTopic === undefined)
    this.#publish(topic, statePayload(parts, clock.now()), isKept)
  }

  #hear(topic: string, payload: Uint8Array): void {
    this.#options.onRequest()
    for (const part of this.#parts) {
      const { visitor } = part
      const state = visitor.topic === undefined ? undefined : part.topic(visitor.topic)
      if (visitor.getTopic !== undefined && part.topic(visitor.getTopic) === topic && state !== undefined) {
        this.#say(state, true)
        return
      }
      if (visitor.commandTopic === undefined || part.topic(visitor.commandTopic) !== topic) continue
      const command = takeCommand(visitor.commandPayload, new TextDecoder().decode(payload))
      if (!command) continue
      this.#answer(part, command.id, this.#obey(part, command.value))
      if (state !== undefined) this.#say(state, true)
      return
    }
  }

  /** Why not, or nothing. */
  #obey({ name, type, visitor }: Part, word: string): string | undefined {
    const text = visitor.match ? visitor.match[word] : word
    const parsed = text === undefined ? undefined : parseValue(type, text)
    if (!parsed?.ok) return `${word} is no value of ${name}`
    try {
      this.#options.device.write(name, parsed.value)
      return undefined
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  #answer({ visitor: { ack }, topic }: Part, id: string | undefined, failure: string | undefined): void {
    if (ack?.by !== 'answer' || ack.topic === undefined) return
    const word = failure === undefined ? (ack.ok?.[0] ?? 'ok') : (ack.error?.[0]?.replaceAll('*', failure) ?? failure)
    const fields = Object.entries({
      [ack.correlation ?? '']: id,
      [ack.pointer ?? '']: word,
      [ack.errorPointer ?? '']: failure,
    }).filter(([pointer, value]) => pointer !== '' && value !== undefined)
    this.#publish(topic(ack.topic), fields.length > 0 ? JSON.stringify(documentAt(fields)) : word, false)
  }

  #publish(topic: string, payload: string, retain: boolean): void {
    this.#options.answers.send(Buffer.from(payload), (bytes) => {
      const client = this.#client
      if (client?.connected) client.publish(topic, Buffer.from(bytes), { qos: 1, retain })
    })
  }
}
