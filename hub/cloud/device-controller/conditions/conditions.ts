import {
  type CloudIntents,
  type Condition,
  type Device,
  type DeviceModel,
  type MergedProperty,
  mergedProperties,
  protocolOf,
  refuseDesired,
  type StateCode,
  sameValue,
} from '../../../../schemas/index.ts'
import { annotationErrors } from '../../admission/annotations.ts'
import { notConvertible } from '../deliveries/convertible.ts'
import { isWish } from '../intents/intents.ts'
import { conflictsForDevice, EXTRA, type PropertyView, type TwinView } from '../views/twin-view.ts'
import { agreement, quoted } from './agreement.ts'
import { edgeVerdict, type Refusal } from './edge-verdict.ts'
import { freshness } from './freshness.ts'
import { unreadable } from './unreadable.ts'

export interface ConditionInput {
  readonly device: Device
  readonly model: DeviceModel | undefined
  /** The node exists, or is connected. */
  readonly nodeKnown: boolean
  /** The node is not connected, and has not been for a while. */
  readonly away: boolean
  /** As the edge said last; undefined when it never did. */
  readonly state: string | undefined
  readonly stateReason: string | undefined
  /** One word for the reason, where the edge has one. */
  readonly stateCode?: string | undefined
  readonly view: TwinView
  readonly intents: CloudIntents
  /** Of the edge's mapper, for the present generation; undefined when the edge has not spoken since this process began. */
  readonly refusals: readonly Refusal[] | undefined
  readonly previous: readonly Condition[]
  /** RFC 3339, UTC, whole seconds. */
  readonly now: string
}

/** A message may quote a value; the schema allows 32768. */
const LONGEST_MESSAGE = 2000

type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>

/** All conditions of a device, from what is known of it. The transition time moves with the status only. */
export function conditionsOf(input: ConditionInput): readonly Condition[] {
  const accepted = acceptance(input)
  const verdicts: Readonly<Record<string, Verdict>> = {
    Accepted: accepted,
    Online: onlineness(input),
    Synced: synchrony(input, accepted),
    Agreed: agreement(conflictsForDevice(input.device, input.view)),
    Fresh: freshness(input),
  }
  const kept = input.previous.filter(({ type }) => !(type in verdicts))
  const own = Object.entries(verdicts).map(([type, verdict]) => settle(type, verdict, input))
  return [...own, ...kept]
}

export function conditionNamed(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type)
}

function settle(type: string, verdict: Verdict, { device, previous, now }: ConditionInput): Condition {
  const before = conditionNamed(previous, type)
  const lastTransitionTime = before && before.status === verdict.status ? before.lastTransitionTime : now
  const { generation } = device.metadata
  const message = verdict.message.slice(0, LONGEST_MESSAGE)
  return {
    type,
    ...verdict,
    message,
    lastTransitionTime,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  }
}

function acceptance(input: ConditionInput): Verdict {
  const { device, model } = input
  const namespace = device.metadata.namespace ?? 'default'
  const { nodeName, deviceModelRef } = device.spec
  const problem = notConvertible(device, model)
  if (problem !== undefined) return no('NotConvertible', problem)
  if (!deviceModelRef?.name) return no('ModelNotSet', 'spec.deviceModelRef.name is empty')
  if (!model) return no('ModelNotFound', `DeviceModel ${deviceModelRef.name} does not exist in namespace ${namespace}`)
  if (!protocolOf(device, model)) return no('ProtocolNotSet', 'spec.protocol.protocolName is empty')
  const bad = refusedDesired(device, model)
  if (bad) return no('InvalidDesired', `${bad.pointer}: ${bad.message}`)
  const misread = misreadAnnotation(device, model)
  if (misread) return no('InvalidAnnotation', misread)
  if (!nodeName) return no('NodeNotSet', 'spec.nodeName is empty: no node gets this device')
  if (!input.nodeKnown) return no('NodeNotFound', `Node ${nodeName} does not exist`)
  const message = `assigned to node ${nodeName}${unserved(device, model)}`
  return edgeVerdict({ device, refusals: input.refusals, before: conditionNamed(input.previous, 'Accepted'), message })
}

/** Properties that KubeEdge passes over in silence: a slip of the pen, or one that was renamed in the model. */
function unserved(device: Device, model: DeviceModel): string {
  const known = new Set((model.spec.properties ?? []).map(({ name }) => name))
  const names = (device.spec.properties ?? []).map(({ name }) => name).filter((name) => !known.has(name))
  return names.length === 0 ? '' : `; not in DeviceModel ${model.metadata.name}, so not served: ${names.join(', ')}`
}

/** First desired value that the model forbids, with its field path. */
export function refusedDesired(device: Device, model: DeviceModel): Refusal | undefined {
  for (const [index, property] of mergedProperties(device, model).entries()) {
    const { desired } = property.device
    if (!isWish(property)) continue
    const reason = desired && refuseDesired(property.model, desired.value)
    if (reason) return { pointer: `spec.properties[${index}].desired.value`, message: reason }
  }
  return undefined
}

/** What is malformed has no effect: the default holds. */
function misreadAnnotation(device: Device, model: DeviceModel): string | undefined {
  const [own] = annotationErrors(device, device.spec.properties ?? [])
  if (own) return `${own.field}: ${own.message}`
  const [inherited] = annotationErrors(model, model.spec.properties ?? [])
  return inherited && `DeviceModel ${model.metadata.name}: ${inherited.field}: ${inherited.message}`
}

function onlineness(input: ConditionInput): Verdict {
  const { device, away, state, previous } = input
  const { nodeName } = device.spec
  if (!nodeName) return unknown('NodeNotSet', 'no node serves this device')
  if (away) return unknown('NodeUnreachable', `node ${nodeName} is not connected`)
  const before = conditionNamed(previous, 'Online')
  const word = (state ?? '').toLowerCase()
  const known = Object.hasOwn(STATE_REASONS, word) ? STATE_REASONS[word] : undefined
  const reason = known ?? input.stateCode ?? lastCode(input, before)
  if (reason === 'Connected') return { status: 'True', reason, message: connected(input) }
  const message = input.stateReason ?? (before?.reason === reason ? before.message : (STATE_MESSAGES[reason] ?? ''))
  return known === undefined ? unknown(reason, message) : no(reason, message)
}

/** A device that answers may still have properties that it does not give. */
function connected({ device, view, stateReason = 'the device answers' }: ConditionInput): string {
  const properties = unreadable(device, view)
  return properties === '' ? stateReason : `${stateReason}; cannot be read: ${properties}`
}

/** What the edge said of an unknown state before this process began holds until it speaks again. */
function lastCode({ state, stateReason }: ConditionInput, before: Condition | undefined): string {
  const isSilent = state === 'unknown' && stateReason === undefined
  return isSilent && before?.status === 'Unknown' && SERVED_BY_NOBODY.has(before.reason) ? before.reason : 'NotReported'
}

/** Reasons of the edge for a device that no mapper serves, see StateCode. */
export const SERVED_BY_NOBODY: ReadonlySet<string> = new Set<StateCode>(['MapperCrashed', 'MapperBroken', 'NoMapper'])

const STATE_REASONS: Readonly<Record<string, string>> = {
  online: 'Connected',
  ok: 'Connected',
  offline: 'Offline',
  unhealthy: 'Unhealthy',
}
const STATE_MESSAGES: Readonly<Record<string, string>> = {
  Offline: 'the device does not answer',
  Unhealthy: 'the device answers with errors',
  NotReported: 'the edge has not reported a state',
}

function synchrony(input: ConditionInput, accepted: Verdict): Verdict {
  const { device, model, away, view, intents } = input
  const { nodeName } = device.spec
  if (accepted.status === 'False') return no('NotAccepted', accepted.message)
  if (away) return unknown('NodeUnreachable', `node ${nodeName} is not connected`)
  const generation = device.metadata.generation ?? 0
  const wishes = mergedProperties(device, model).filter(isWish)
  const verdicts = wishes.flatMap((property) => {
    const { name } = property.device
    const author = Object.hasOwn(intents, name) ? intents[name]?.author : undefined
    const verdict = desiredVerdict(property, view.get(name) ?? {}, { generation, author })
    return verdict ? [verdict] : []
  })
  // The most telling reason first: a failure says more than a wait.
  for (const reason of ['WriteFailed', 'EdgeOverride', 'Pending']) {
    const found = verdicts.find((verdict) => verdict.reason === reason)
    if (found) return found
  }
  const message = wishes.length === 0 ? NOTHING_DESIRED : 'every desired value was read back from the device'
  return { status: 'True', reason: 'InSync', message }
}

const NOTHING_DESIRED = 'no property of the spec has a desired value'

/** Why the desired value is not on the device, or nothing. */
function desiredVerdict(
  { device, model }: MergedProperty,
  view: PropertyView,
  { generation, author = 'cloud' }: { readonly generation: number; readonly author: string | undefined },
): Verdict | undefined {
  const wanted = device.desired?.value ?? ''
  const same = (text: string | undefined) => text !== undefined && sameValue(model.type ?? 'STRING', text, wanted)
  const { reported, observedDesired } = view
  const extras = observedDesired?.metadata ?? {}
  const adopted = Number(extras[EXTRA.generation] ?? -1) >= generation
  const name = device.name
  if (adopted && extras[EXTRA.origin] === 'edge' && !same(observedDesired?.value)) {
    const wish = `${extras[EXTRA.author] ?? 'a client'} set ${quoted(observedDesired?.value ?? '')} at the edge`
    return no('EdgeOverride', `${name}: ${wish}, instead of ${quoted(wanted)} that ${author} set in the spec`)
  }
  if (same(extras[EXTRA.failureValue])) {
    return no('WriteFailed', `${name}: ${extras[EXTRA.failureMessage] ?? extras[EXTRA.failureReason] ?? ''}`)
  }
  if (!adopted && !same(observedDesired?.value)) return no('Pending', `${name}: ${wanted} has not reached the edge yet`)
  if (reported?.metadata?.[EXTRA.quality] === 'bad') {
    return no('Pending', `${name}: cannot be read back: ${reported.metadata[EXTRA.cause] ?? 'no cause given'}`)
  }
  if (!reported) {
    // A property that is not reported to the cloud gives no proof either way.
    if (view.unread !== undefined) return no('Pending', `${name}: cannot be read back: ${view.unread}`)
    return device.reportToCloud === false ? undefined : no('Pending', `${name}: nothing was read back yet`)
  }
  return same(reported.value)
    ? undefined
    : no('Pending', `${name}: the device says ${reported.value}, not ${wanted} yet`)
}

function no(reason: string, message: string): Verdict {
  return { status: 'False', reason, message }
}

function unknown(reason: string, message: string): Verdict {
  return { status: 'Unknown', reason, message }
}
