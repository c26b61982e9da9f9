import {
  type Attribute,
  type CloudAttributeUpdate,
  isTwinName,
  type MsgAttribute,
  type MsgAttributes,
  type MsgHead,
  type Twin,
} from '../../schemas/index.ts'
import { refuseText, type TwinLimits, type Updated } from './update.ts'

type Attributes = Readonly<Record<string, Attribute>>

/** Of one device, labels among them. */
const MOST_ATTRIBUTES = 256
/** Label that is the device's description instead. */
const DESCRIPTION = 'description'

/** The labels of the Device are attributes; what a cloud said by itself stays, except where a label has its name. */
export function withLabels(
  before: Attributes | undefined,
  labels: Readonly<Record<string, string>> | undefined,
): Attributes | undefined {
  const said = Object.entries(before ?? {}).filter(([, { origin }]) => origin === 'cloud')
  const labelled = Object.entries(labels ?? {}).filter(([name]) => name !== DESCRIPTION)
  const all = new Map<string, Attribute>(said)
  for (const [name, value] of labelled) all.set(name, { value, optional: true, type: 'string', origin: 'label' })
  return ofEntries(all)
}

/** All of it, or none with a reason. The same twin when nothing changes. Labels are changed with their Device alone. */
export function applyAttributes(twin: Twin, update: CloudAttributeUpdate, limits: TwinLimits): Updated {
  const all = new Map<string, Attribute>(Object.entries(twin.attributes ?? {}))
  let isChanged = false
  for (const [name, given] of update.attributes) {
    const before = all.get(name)
    if (before?.origin === 'label') return refused(`${name} is a label of the Device`)
    if (given === null || given.type === 'deleted') {
      isChanged = all.delete(name) || isChanged
      continue
    }
    const reason = isTwinName(name) ? refuseText(given.value, limits) : 'no name of an attribute'
    if (reason !== undefined) return refused(`${name.slice(0, 128)}: ${reason}`)
    // As with properties: what was made obligatory stays so.
    const optional = (before?.optional ?? true) && (given.optional ?? true)
    const after: Attribute = {
      value: given.value,
      optional,
      type: given.type ?? before?.type ?? 'string',
      origin: 'cloud',
    }
    if (before && sameAttribute(before, after)) continue
    all.set(name, after)
    isChanged = true
  }
  if (!isChanged) return { ok: true, twin }
  if (all.size > MOST_ATTRIBUTES) return refused(`a device has at most ${MOST_ATTRIBUTES} attributes`)
  const { attributes: _, ...rest } = twin
  const attributes = ofEntries(all)
  return { ok: true, twin: { ...rest, ...(attributes ? { attributes } : {}), revision: twin.revision + 1 } }
}

/** What changed, for MQTT clients; undefined when nothing did. Null: gone. */
export function attributesMessage(head: MsgHead, before: Twin | undefined, after: Twin): MsgAttributes | undefined {
  const old = new Map(Object.entries(before?.attributes ?? {}))
  const changed: [string, MsgAttribute | null][] = []
  for (const [name, attribute] of Object.entries(after.attributes ?? {})) {
    const last = old.get(name)
    if (!last || !sameAttribute(last, attribute)) changed.push([name, msgAttribute(attribute)])
    old.delete(name)
  }
  for (const name of old.keys()) changed.push([name, null])
  return changed.length === 0 ? undefined : { ...head, attributes: Object.fromEntries(changed) }
}

export function msgAttribute({ value, optional, type }: Attribute): MsgAttribute {
  return { value, optional, metadata: { type } }
}

/** Where it comes from is no part of it. */
function sameAttribute(left: Attribute, right: Attribute): boolean {
  return left.value === right.value && left.optional === right.optional && left.type === right.type
}

function ofEntries(all: ReadonlyMap<string, Attribute>): Attributes | undefined {
  return all.size === 0 ? undefined : Object.fromEntries(all)
}

function refused(reason: string): Updated {
  return { ok: false, reason }
}
