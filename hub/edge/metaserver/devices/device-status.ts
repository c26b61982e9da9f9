import {
  type Condition,
  type Device,
  type DeviceConditionsStatus,
  type DeviceRefusal,
  type StatusTwin,
  type StatusTwinValue,
  sameValue,
  type Twin,
  type TwinProperty,
} from '../../../../schemas/index.ts'

/** What is known of a device here and now. */
export interface KnownDevice {
  readonly device: Device
  /** Absent until the twin has heard of the device. */
  readonly twin: Twin | undefined
  readonly refusals: readonly DeviceRefusal[]
  /** As they were shown last. */
  readonly before: readonly Condition[]
  /** RFC 3339, UTC, whole seconds. */
  readonly now: string
}

type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>

/** The status of a device as the node knows it, in the form that DeviceController gives it in the cloud. Pure. */
export function deviceStatus(known: KnownDevice): DeviceConditionsStatus {
  const { device, twin } = known
  const stored = device.status ?? {}
  if (!twin || twin.uid !== device.metadata.uid) return { ...stored, conditions: conditionsOf(known, undefined) }
  const twins = statusTwins(device, twin)
  return {
    ...stored,
    ...(device.metadata.generation === undefined ? {} : { observedGeneration: device.metadata.generation }),
    conditions: conditionsOf(known, twin),
    state: twin.stateText?.toLowerCase() ?? twin.state,
    ...(twin.lastOnlineTime === undefined ? {} : { lastOnlineTime: twin.lastOnlineTime }),
    ...(twins.length === 0 ? {} : { twins }),
  }
}

/** The device with the desired values that are in force here: a wish of the edge stands instead of the cloud's. Pure. */
export function deviceSpec(device: Device, twin: Twin | undefined): Device['spec'] {
  const { spec } = device
  if (!twin || twin.uid !== device.metadata.uid) return spec
  const properties = (spec.properties ?? []).map((property) => {
    const desired = propertyOf(twin, property.name)?.desired
    if (desired?.origin !== 'edge' || desired.value === property.desired?.value) return property
    return { ...property, desired: { ...property.desired, value: desired.value } }
  })
  return { ...spec, ...(spec.properties ? { properties } : {}) }
}

function statusTwins(device: Device, twin: Twin): readonly StatusTwin[] {
  return (device.spec.properties ?? []).flatMap(({ name }): StatusTwin[] => {
    const property = propertyOf(twin, name)
    const reported = property && reportedOf(property)
    const observedDesired = property && desiredOf(property, twin.generation)
    if (!reported && !observedDesired) return []
    return [{ propertyName: name, ...(reported ? { reported } : {}), ...(observedDesired ? { observedDesired } : {}) }]
  })
}

function propertyOf(twin: Twin, name: string): TwinProperty | undefined {
  return Object.hasOwn(twin.properties, name) ? twin.properties[name] : undefined
}

function reportedOf({ type, reported, timeToLive }: TwinProperty): StatusTwinValue | undefined {
  if (!reported) return undefined
  const { value, timestamp, sourceTime, quality, cause, stale, staleSince } = reported
  return {
    value,
    metadata: {
      ...{ timestamp: String(timestamp), type },
      ...(quality === 'good' ? {} : { quality }),
      ...(cause === undefined ? {} : { cause }),
      sourceTime: String(sourceTime),
      ...(timeToLive === undefined ? {} : { timeToLive: String(timeToLive) }),
      ...(stale ? { stale: 'true' } : {}),
      ...(stale && staleSince !== undefined ? { staleSince: String(staleSince) } : {}),
    },
  }
}

function desiredOf({ type, desired, failure }: TwinProperty, generation: number): StatusTwinValue | undefined {
  if (!desired) return undefined
  const { value, timestamp, origin, author, version } = desired
  return {
    value,
    metadata: {
      ...{ timestamp: String(timestamp), type, generation: String(generation), origin },
      ...(author === undefined ? {} : { author }),
      ...(origin === 'edge' ? { edge: String(version.edge) } : {}),
      ...(failure
        ? { failureValue: failure.value, failureReason: failure.reason, failureMessage: failure.message }
        : {}),
    },
  }
}

function conditionsOf(known: KnownDevice, twin: Twin | undefined): readonly Condition[] {
  const { device, before, now } = known
  const verdicts: Readonly<Record<string, Verdict>> = {
    Accepted: acceptance(known),
    Online: onlineness(twin),
    Synced: synchrony(device, twin),
    Agreed: agreement(twin),
    Fresh: freshness(twin),
  }
  const { generation } = device.metadata
  const own = Object.entries(verdicts).map(([type, verdict]): Condition => {
    const last = before.find((each) => each.type === type)
    return {
      ...{ type, ...verdict },
      lastTransitionTime: last?.status === verdict.status ? last.lastTransitionTime : now,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    }
  })
  return [...own, ...(device.status?.conditions ?? []).filter(({ type }) => !(type in verdicts))]
}

function acceptance({ device, refusals }: KnownDevice): Verdict {
  const present = refusals.filter(({ generation }) => generation >= (device.metadata.generation ?? 0))
  const refusal = present.find(({ warning }) => !warning)
  if (refusal) return verdict('False', 'RefusedByEdge', `${refusal.pointer}: ${refusal.message}`)
  const message = `assigned to node ${device.spec.nodeName ?? ''}`
  if (present.length === 0) return verdict('True', 'Accepted', message)
  const warnings = present.map((each) => `${each.pointer}: ${each.message}`).join('; ')
  return verdict('True', 'AcceptedWithWarnings', `${message}, with warnings: ${warnings}`)
}

const ONLINE: Readonly<Record<string, readonly [Condition['status'], string, string]>> = {
  online: ['True', 'Connected', 'the device answers'],
  ok: ['True', 'Connected', 'the device answers'],
  offline: ['False', 'Offline', 'the device does not answer'],
  unhealthy: ['False', 'Unhealthy', 'the device answers with errors'],
}

function onlineness(twin: Twin | undefined): Verdict {
  const [status, reason, message] = ONLINE[twin?.state ?? ''] ?? ['Unknown', twin?.stateCode ?? 'NotReported', '']
  return verdict(status, reason, twin?.stateReason ?? (message || 'no mapper has reported a state yet'))
}

function synchrony(device: Device, twin: Twin | undefined): Verdict {
  const found: Verdict[] = []
  for (const { name, desired: ofSpec } of device.spec.properties ?? []) {
    const property = twin && propertyOf(twin, name)
    const { desired, reported, failure, unread } = property ?? {}
    if (!property || !desired) {
      if (ofSpec && ofSpec.value !== '') found.push(verdict('False', 'Pending', `${name}: not taken by the twin yet`))
      continue
    }
    const isSame = (text: string) => sameValue(property.modelType ?? 'STRING', text, desired.value)
    if (desired.origin === 'edge' && ofSpec && !isSame(ofSpec.value)) {
      const who = desired.author ?? 'a client'
      found.push(
        verdict(
          'False',
          'EdgeOverride',
          `${name}: ${who} set ${JSON.stringify(desired.value)} at the edge, instead of ${JSON.stringify(ofSpec.value)}`,
        ),
      )
    } else if (failure && isSame(failure.value))
      found.push(verdict('False', 'WriteFailed', `${name}: ${failure.message}`))
    else if (!reported) {
      found.push(
        verdict(
          'False',
          'Pending',
          `${name}: ${unread ? `cannot be read back: ${unread.cause}` : 'nothing was read back yet'}`,
        ),
      )
    } else if (!isSame(reported.value)) {
      found.push(verdict('False', 'Pending', `${name}: the device says ${reported.value}, not ${desired.value} yet`))
    }
  }
  for (const reason of ['WriteFailed', 'EdgeOverride', 'Pending']) {
    const first = found.find((each) => each.reason === reason)
    if (first) return first
  }
  return verdict('True', 'InSync', 'every desired value was read back from the device')
}

function agreement(twin: Twin | undefined): Verdict {
  for (const [name, { conflict }] of Object.entries(twin?.properties ?? {})) {
    if (!conflict) continue
    const won = conflict.winner === 'edge' ? 'EdgeWon' : 'CloudWon'
    return verdict('False', won, `${name}: cloud and edge wished for different values, neither knowing of the other`)
  }
  return verdict('True', 'NoConflict', 'cloud and edge wish for the same')
}

function freshness(twin: Twin | undefined): Verdict {
  const watched = Object.entries(twin?.properties ?? {}).filter(([, { timeToLive }]) => timeToLive !== undefined)
  if (watched.length === 0) return verdict('True', 'NoTimeToLive', 'no property has a time to live')
  const names = (list: typeof watched) => list.map(([name]) => name).join(', ')
  const stale = watched.filter(([, { reported }]) => reported?.stale)
  if (stale.length > 0) return verdict('False', 'Stale', names(stale))
  const unread = watched.filter(([, { reported }]) => !reported)
  if (unread.length > 0) return verdict('Unknown', 'NotReported', `never read: ${names(unread)}`)
  return verdict('True', 'Fresh', 'every value was read within its time to live')
}

function verdict(status: Condition['status'], reason: string, message: string): Verdict {
  return { status, reason, message: message.slice(0, 2000) }
}
