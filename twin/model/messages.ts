import {
  type MsgActual,
  type MsgDeviceState,
  type MsgHead,
  type MsgMember,
  type MsgTwin,
  type MsgTwinDelta,
  type MsgTwinDocument,
  type MsgTwinResult,
  type Reported,
  splitDeviceId,
  type Twin,
  type TwinProperty,
} from '../../schemas/index.ts'
import { msgAttribute } from './attributes.ts'
import { deltaOf } from './delta.ts'
import { propertyOf } from './property.ts'
import { isOnline } from './state.ts'

/** One property as MQTT clients see it: without versions. */
export function msgTwin({ desired, reported, unread, optional, type }: TwinProperty): MsgTwin {
  return {
    ...(desired ? { expected: { value: desired.value, metadata: { timestamp: desired.timestamp } } } : {}),
    ...(reported ? { actual: msgActual(reported) } : {}),
    optional,
    metadata: { type, ...(unread && !reported ? { quality: 'bad', cause: unread.cause } : {}) },
  }
}

/** KubeEdge's timestamp, and the rest where there is something to say. */
function msgActual({ value, timestamp, sourceTime, quality, cause, stale, staleSince }: Reported): MsgActual {
  return {
    value,
    metadata: {
      timestamp,
      ...(sourceTime === timestamp ? {} : { sourceTime }),
      ...(quality === 'good' ? {} : { quality }),
      ...(cause === undefined ? {} : { cause }),
      ...(stale ? { stale } : {}),
      ...(stale && staleSince !== undefined ? { staleSince } : {}),
    },
  }
}

/** Answer to twin/update: the properties that it named as they are now, null for those that are gone. */
export function updateResult(head: MsgHead, twin: Twin, names: Iterable<string>): MsgTwinResult {
  const entries = [...names].map((name): [string, MsgTwin | null] => [name, msgOf(twin, name)])
  return { ...head, twin: Object.fromEntries(entries) }
}

/** Answer to twin/get: everything. */
export function getResult(head: MsgHead, twin: Twin): MsgTwinResult {
  const entries = Object.entries(twin.properties).map(([name, property]) => [name, msgTwin(property)] as const)
  return { ...head, twin: Object.fromEntries(entries) }
}

/** What changed between two states of a twin, as far as MQTT clients see it; undefined when that is nothing. */
export function documentOf(head: MsgHead, before: Twin | undefined, after: Twin): MsgTwinDocument | undefined {
  const names = new Set([...Object.keys(before?.properties ?? {}), ...Object.keys(after.properties)])
  const changes: [string, { readonly last: MsgTwin | null; readonly current: MsgTwin | null }][] = []
  for (const name of names) {
    if (before && propertyOf(before, name) === propertyOf(after, name)) continue
    const last = before ? msgOf(before, name) : null
    const current = msgOf(after, name)
    if (JSON.stringify(last) !== JSON.stringify(current)) changes.push([name, { last, current }])
  }
  return changes.length === 0 ? undefined : { ...head, twin: Object.fromEntries(changes) }
}

/** Undefined when no desired value is open. */
export function deltaMessage(head: MsgHead, twin: Twin): MsgTwinDelta | undefined {
  const delta = deltaOf(twin)
  if (delta.size === 0) return undefined
  const wished = Object.entries(twin.properties).filter(([, { desired }]) => desired && desired.value !== '')
  const entries = wished.map(([name, property]) => [name, msgTwin(property)] as const)
  return { ...head, twin: Object.fromEntries(entries), delta: Object.fromEntries(delta) }
}

/** `onlineTime` is said while the device is online. */
export function stateMessage(head: MsgHead, twin: Twin): MsgDeviceState {
  const { name } = splitDeviceId(twin.id)
  return { ...head, device: { name, state: twin.stateText ?? twin.state, ...onlineTime(twin, 'lastOnlineTime') } }
}

export function memberOf(twin: Twin): MsgMember {
  const attributes = Object.entries(twin.attributes ?? {}).map(([name, each]) => [name, msgAttribute(each)] as const)
  return {
    ...memberIdentity(twin),
    state: twin.stateText ?? twin.state,
    ...onlineTime(twin, 'last_online'),
    ...(attributes.length === 0 ? {} : { attributes: Object.fromEntries(attributes) }),
  }
}

/** As membership/updated names a device. */
export function memberIdentity({ id, description }: Twin): MsgMember {
  return { id, name: splitDeviceId(id).name, ...(description === '' ? {} : { description }) }
}

function msgOf(twin: Twin, name: string): MsgTwin | null {
  const property = propertyOf(twin, name)
  return property ? msgTwin(property) : null
}

function onlineTime(twin: Twin, key: string): Readonly<Record<string, string>> {
  return twin.lastOnlineTime !== undefined && isOnline(twin.state) ? { [key]: twin.lastOnlineTime } : {}
}
