import type { Bus, EventBus, MqttMessage } from '../../../platform/bus/index.ts'
import type { Counter, Metrics } from '../../../platform/health/index.ts'
import { describeError, type Module, type Scope, UnavailableError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, DeadlineError, ms } from '../../../platform/time/index.ts'
import {
  assignedDevices,
  CALL_TIMEOUT_MS,
  type CallCode,
  type CallRefusal,
  callDevice,
  type DeviceCall,
  type DeviceCallAnswer,
  type DeviceId,
  decodeMethodCall,
  decodePlainArguments,
  deviceCalls,
  deviceTopic,
  METHOD_FILTERS,
  type MsgMethodResult,
  PLAIN_CALL_FILTER,
  type PlainCallResult,
  parseDeviceTopic,
  parsePlainCall,
  protocolOf,
} from '../../../schemas/index.ts'

export interface DeviceMethodsOptions {
  readonly bus: Bus
  readonly eventBus: EventBus
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
}

/** Calls under way: of one device, and of all together. One more is answered with 503. */
const MOST_CALLS = { ofDevice: 16, ofAll: 256 } as const
/** For the answer to travel from the mapper, beyond the time that the caller gives the device. */
const TRAVEL_MS = 1000

/**
 * DeviceMethods: MQTT clients call the methods of `spec.methods`. A call is made at most once: its receipt says that it was
 * understood as a message, its answer what became of it; nothing is kept over a restart.
 */
export function createDeviceMethodsModule(options: DeviceMethodsOptions): Module {
  return { name: 'DeviceMethods', start: async (scope) => new DeviceMethods(options, scope).start() }
}

class DeviceMethods {
  readonly #options: DeviceMethodsOptions
  readonly #scope: Scope
  readonly #calls: Counter
  readonly #busy = new Map<DeviceId, number>()
  #busyOfAll = 0

  constructor(options: DeviceMethodsOptions, scope: Scope) {
    this.#options = options
    this.#scope = scope
    this.#calls = options.metrics.counter({
      name: 'skerry_device_calls_total',
      help: 'Calls of device methods, by the code of their answer; 200 when they were done.',
      labels: ['code'],
    })
  }

  start(): void {
    const { bus, eventBus } = this.#options
    const onCall = async (message: MqttMessage) => this.#take(message)
    for (const filter of Object.values(METHOD_FILTERS)) this.#scope.use(eventBus.handle(filter, onCall))
    this.#scope.use(eventBus.handle(PLAIN_CALL_FILTER, async (message) => this.#takePlain(message)))
    this.#scope.use(bus.serve(callDevice, (call) => this.#answerOf(call)))
  }

  #answerOf(call: DeviceCall): Promise<DeviceCallAnswer> {
    return new Promise((resolve) =>
      this.#call(call, (answered) => {
        this.#count(answered.ok ? 200 : answered.code)
        resolve(answered)
      }),
    )
  }

  #take({ topic, payload, retain }: MqttMessage): void {
    const target = parseDeviceTopic(topic)
    // What a broker had kept is no call of now.
    if (target?.action !== 'method/call' || retain) return
    const answerTopic = deviceTopic(target.id, 'method/call/result', target.form)
    const decoded = decodeMethodCall(payload)
    const { eventId, method } = decoded.ok ? decoded.value : { eventId: decoded.eventId, method: '' }
    const answer = (given: DeviceCallAnswer) => {
      const { ok, ...rest } = given
      const head = { event_id: eventId, timestamp: this.#options.clock.now(), method }
      this.#say(answerTopic, { ...head, ...rest } satisfies MsgMethodResult, ok ? 200 : given.code)
    }
    if (!decoded.ok) answer(refusal(400, decoded.reason))
    else this.#call({ id: target.id, ...decoded.value }, answer)
  }

  #takePlain({ topic, payload, retain }: MqttMessage): void {
    const target = parsePlainCall(topic)
    if (!target || retain) return
    const given = decodePlainArguments(payload)
    const answer = (answered: DeviceCallAnswer) => {
      const time = new Date(this.#options.clock.now()).toISOString()
      this.#say(`${topic}/result`, { ...answered, time } satisfies PlainCallResult, answered.ok ? 200 : answered.code)
    }
    if (typeof given === 'string') answer(refusal(400, given))
    else this.#call({ ...target, arguments: given, timeout: CALL_TIMEOUT_MS.usual }, answer)
  }

  #call(call: DeviceCall, answer: (given: DeviceCallAnswer) => void): void {
    const busy = this.#busy.get(call.id) ?? 0
    if (busy >= MOST_CALLS.ofDevice || this.#busyOfAll >= MOST_CALLS.ofAll) {
      answer(
        refusal(
          503,
          `too many calls are under way; at most ${MOST_CALLS.ofDevice} of one device, ${MOST_CALLS.ofAll} of all`,
        ),
      )
      return
    }
    this.#busy.set(call.id, busy + 1)
    this.#busyOfAll++
    this.#scope.run(async (signal) => {
      try {
        answer(await this.#route(call, signal))
      } finally {
        this.#busyOfAll--
        const left = (this.#busy.get(call.id) ?? 1) - 1
        if (left > 0) this.#busy.set(call.id, left)
        else this.#busy.delete(call.id)
      }
    })
  }

  async #route({ id, method, arguments: given, timeout }: DeviceCall, signal: AbortSignal): Promise<DeviceCallAnswer> {
    const { bus } = this.#options
    const assigned = bus.get(assignedDevices, id)
    if (!assigned) return refusal(404, `device ${id} does not exist on this node`)
    const protocol = protocolOf(assigned.device, assigned.model) ?? ''
    if (!assigned.model || protocol === '') return refusal(503, `device ${id} has no DeviceModel or protocol yet`)
    try {
      const options = { deadline: ms(timeout + TRAVEL_MS), signal }
      return await bus.request(deviceCalls(protocol), { id, method, arguments: given, timeout }, options)
    } catch (error) {
      if (signal.aborted) return refusal(503, 'the edge stops; the device may have acted')
      if (error instanceof UnavailableError) return refusal(503, `no mapper for protocol ${protocol} is running`)
      if (error instanceof DeadlineError)
        return refusal(504, `no answer within ${timeout} ms; the device may have acted`)
      this.#options.log.error('A call of a device method failed', { device: id, method, error })
      return refusal(500, describeError(error))
    }
  }

  #count(code: CallCode | 200): void {
    this.#calls.add(1, { code: String(code) })
  }

  #say(topic: string, message: MsgMethodResult | PlainCallResult, code: CallCode | 200): void {
    const { eventBus, log } = this.#options
    this.#count(code)
    if (!eventBus.isWatched(topic)) return
    eventBus.publish(topic, JSON.stringify(message), { retain: false }).catch((error: unknown) => {
      log.warn('The answer to a call of a device method could not be sent', { topic, error })
    })
  }
}

function refusal(code: CallCode, reason: string): CallRefusal {
  return { ok: false, code, reason }
}
