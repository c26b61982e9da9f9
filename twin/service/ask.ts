import type { EventBus, MqttMessage } from '../../platform/bus/index.ts'
import { describeError } from '../../platform/lifecycle/index.ts'
import type { Logger } from '../../platform/log/index.ts'
import type { Clock } from '../../platform/time/index.ts'
import {
  CLIENT_FILTERS,
  type Decoded,
  type DeviceAction,
  type DeviceTopic,
  decodePlainRequest,
  decodeStateUpdate,
  decodeTwinUpdate,
  type NodeAction,
  parseDeviceTopic,
  parseNodeTopic,
  type Twin,
  type TwinUpdate,
} from '../../schemas/index.ts'
import { confirmedBy } from '../model/age.ts'
import { getResult, memberOf, stateMessage, updateResult } from '../model/messages.ts'
import { refuseSide } from '../model/one-side.ts'
import type { TakenReading } from '../model/reading.ts'
import { applyState, parseState } from '../model/state.ts'
import { applyUpdate, type TwinLimits } from '../model/update.ts'
import type { Expiry } from './expiry.ts'
import type { StepOutcome, TwinKeeper } from './keeper.ts'
import type { Voice } from './voice.ts'

export interface AskOptions {
  readonly eventBus: EventBus
  readonly keeper: TwinKeeper
  readonly expiry: Expiry
  readonly voice: Voice
  readonly nodeName: string
  readonly limits: TwinLimits
  readonly clock: Clock
  readonly log: Logger
}

/**
 * What MQTT clients may ask of DeviceTwin. Each handler settles when the change is on disk and answered, and with it the
 * receipt of the message; a request that fails is answered with a code, so its receipt is given too.
 */
export function serveClients(options: AskOptions): readonly Disposable[] {
  const onDevice = (message: MqttMessage) => serveDevice(options, message)
  const { membershipGet, ...device } = CLIENT_FILTERS
  return [
    ...Object.values(device).map((filter) => options.eventBus.handle(filter, onDevice)),
    options.eventBus.handle(membershipGet, async (message) => serveNode(options, message)),
  ]
}

async function serveDevice(options: AskOptions, message: MqttMessage): Promise<void> {
  const { topic, payload } = message
  const target = parseDeviceTopic(topic)
  if (!target) return
  switch (target.action) {
    case 'twin/update':
      return updateTwin(options, target, message)
    case 'twin/get':
      return readTwin(options, target, payload, (twin, eventId) => getResult(options.voice.head(eventId), twin))
    case 'state/update':
      return updateState(options, target, message)
    case 'state/get':
      return readTwin(options, target, payload, (twin, eventId) => stateMessage(options.voice.head(eventId), twin))
    default:
      // twin/+ matches twin/cloud_updated as well, which is the cloud's alone.
      return undefined
  }
}

function updateTwin(options: AskOptions, target: DeviceTopic, message: MqttMessage): Promise<void> {
  const { keeper, expiry, voice, limits, clock } = options
  const decoded = understood(options, target, decodeTwinUpdate(message.payload))
  if (!decoded) return Promise.resolve()
  const { eventId } = decoded
  const notItsSide = refuseSide(decoded.twin, message.side)
  if (notItsSide !== undefined) {
    answerError(options, target, eventId, 400, notItsSide)
    return Promise.resolve()
  }
  const update = { ...decoded, author: authorOf(message) }
  let refusal: string | undefined
  return new Promise((resolve) => {
    keeper.do(target.id, {
      apply(twin) {
        const updated = twin && applyUpdate(twin, update, limits, clock.now())
        refusal = updated && !updated.ok ? updated.reason : undefined
        if (!updated?.ok) return twin
        expiry.confirm(target.id, confirmedBy(updated.twin, readingsOf(decoded)))
        return updated.twin
      },
      done(outcome) {
        const after = answerable(options, target, eventId, outcome, refusal)
        if (after && outcome.ok) {
          const result = () => updateResult(voice.head(eventId), after, decoded.twin.keys())
          voice.answer(target.id, target.form, 'twin/update/result', result)
          voice.document(outcome.before, after, eventId)
          // Repeated with each update, as KubeEdge does: to a mapper on MQTT it is the reminder.
          voice.delta(undefined, after)
        }
        resolve()
      },
    })
  })
}

/** Client ids may have 65535 bytes. */
const LONGEST_AUTHOR = 200

/** A user name is proven, a client id is what a client calls itself. Messages from another broker say neither. */
export function authorOf({ user, client }: MqttMessage): string {
  if (user !== undefined) return `user:${user.slice(0, LONGEST_AUTHOR).toWellFormed()}`
  return client === undefined ? 'mqtt' : `mqtt:${client.slice(0, LONGEST_AUTHOR).toWellFormed()}`
}

function* readingsOf({ twin }: TwinUpdate): Iterable<readonly [string, TakenReading]> {
  for (const [name, change] of twin) {
    if (change) yield [name, { value: change.actual, sourceTime: 0, quality: change.actualQuality ?? 'good' }]
  }
}

function updateState(options: AskOptions, target: DeviceTopic, { payload, side }: MqttMessage): Promise<void> {
  const { keeper, voice, clock } = options
  const decoded = understood(options, target, decodeStateUpdate(payload))
  if (decoded && side === 'desired') {
    answerError(options, target, decoded.eventId, 400, 'this client may set expected values, not report states')
    return Promise.resolve()
  }
  const state = decoded && parseState(decoded.state)
  // KubeEdge passes over states that it does not know, and so do its clients.
  if (!decoded || !state) return Promise.resolve()
  return new Promise((resolve) => {
    keeper.do(target.id, {
      apply: (twin) => twin && applyState(twin, { state, text: decoded.state }, clock.now()),
      done(outcome) {
        const after = answerable(options, target, decoded.eventId, outcome)
        if (after) {
          voice.answer(target.id, target.form, 'state/update/result', () => stateMessage(voice.head(undefined), after))
        }
        resolve()
      },
    })
  })
}

function readTwin(
  options: AskOptions,
  target: DeviceTopic,
  payload: Uint8Array,
  messageOf: (twin: Twin, eventId: string) => ReturnType<typeof getResult> | ReturnType<typeof stateMessage>,
): Promise<void> {
  const decoded = understood(options, target, decodePlainRequest(payload))
  if (!decoded) return Promise.resolve()
  return new Promise((resolve) => {
    options.keeper.do(target.id, {
      apply: (twin) => twin,
      done(outcome) {
        const twin = answerable(options, target, decoded.eventId, outcome)
        const action = resultOf(target.action)
        if (twin && action) options.voice.answer(target.id, target.form, action, () => messageOf(twin, decoded.eventId))
        resolve()
      },
    })
  })
}

function serveNode({ keeper, voice, nodeName }: AskOptions, { topic, payload }: MqttMessage): void {
  if (parseNodeTopic(topic)?.node !== nodeName) return
  const action: NodeAction = 'membership/get/result'
  const decoded = decodePlainRequest(payload)
  if (!decoded.ok) {
    voice.node(action, errorMessage(voice, decoded.eventId, 400, decoded.reason))
    return
  }
  const twins = [...keeper.all()].sort((left, right) => (left.id < right.id ? -1 : 1))
  voice.node(action, { ...voice.head(decoded.value.eventId), ...{ devices: twins.map(memberOf) } })
}

/** The request, or nothing when it was answered with 400. */
function understood<T>(options: AskOptions, target: DeviceTopic, decoded: Decoded<T>): T | undefined {
  if (decoded.ok) return decoded.value
  answerError(options, target, decoded.eventId, 400, decoded.reason)
  return undefined
}

/** The twin to answer with, or nothing when the request was answered with an error. */
function answerable(
  options: AskOptions,
  target: DeviceTopic,
  eventId: string,
  outcome: StepOutcome,
  refusal?: string,
): Twin | undefined {
  if (!outcome.ok) {
    options.log.warn('A request of an MQTT client failed', { device: target.id, error: outcome.error })
    answerError(options, target, eventId, 500, describeError(outcome.error))
    return undefined
  }
  if (outcome.after && target.form === 'bare') options.voice.usesBareTopics(target.id)
  if (!outcome.after) answerError(options, target, eventId, 404, `device ${target.id} does not exist on this node`)
  else if (refusal !== undefined) answerError(options, target, eventId, 400, refusal)
  else return outcome.after
  return undefined
}

function answerError(
  { voice }: AskOptions,
  { id, form, action }: DeviceTopic,
  eventId: string,
  code: number,
  reason: string,
): void {
  const answer = resultOf(action)
  if (answer) voice.answer(id, form, answer, () => errorMessage(voice, eventId, code, reason))
}

function errorMessage(voice: Voice, eventId: string, code: number, reason: string) {
  return { ...voice.head(eventId), code, reason }
}

function resultOf(action: DeviceAction): DeviceAction | undefined {
  switch (action) {
    case 'twin/update':
      return 'twin/update/result'
    case 'twin/get':
      return 'twin/get/result'
    case 'state/update':
      return 'state/update/result'
    case 'state/get':
      return 'state/get/result'
    default:
      return undefined
  }
}
