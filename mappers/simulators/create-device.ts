import { ConfigError } from '../../platform/lifecycle/index.ts'
import type { Clock, Random } from '../../platform/time/index.ts'
import {
  type Device,
  type DeviceModel,
  formatValue,
  type JsonObject,
  type ModelProperty,
  type PropertyType,
  type PropertyValue,
  parseValue,
  refuseDesired,
} from '../../schemas/index.ts'
import { takeHostKeys } from '../host/values/host-keys.ts'
import { type Behaviour, sourcesOf } from './behaviour/behaviour.ts'
import { defaultBehaviour } from './behaviour/default-behaviour.ts'
import { createMover, type Mover, numeric, type RawValue } from './behaviour/mover.ts'
import { type Behaviours, parseBehaviours, SIMULATE_ANNOTATION } from './behaviour/parse-behaviours.ts'
import { type SimulatedDevice, type SimulatedProperty, WriteRefusal } from './simulated-device.ts'

export interface SimulatedDeviceOptions {
  readonly model: DeviceModel
  /** Its configData and visitors go before those of the model. */
  readonly device?: Device | undefined
  readonly clock: Clock
  readonly random: Random
}

/** Properties that follow others see them move in steps of so many seconds. */
const STEP_SECONDS = 0.25
/** After so long everything is where it is going; what counts is told in one step of the rest. */
const SETTLED_SECONDS = 600

/** All properties of the model, moving as its annotation says, or else as their names and types suggest. Throws a ConfigError. */
export function createSimulatedDevice(options: SimulatedDeviceOptions): SimulatedDevice {
  return new ModelledDevice(options)
}

interface Part extends SimulatedProperty {
  /** What a sensor tells apart; a decimal power. */
  readonly step: number
  /** Its own; absent for what is held. */
  mover: Mover | undefined
  held: RawValue | PropertyValue
}

class ModelledDevice implements SimulatedDevice {
  readonly name: string
  readonly configData: JsonObject
  readonly #clock: Clock
  readonly #parts: ReadonlyMap<string, Part>
  /** Sources before those who look at them. */
  readonly #order: readonly Part[]
  #at: number

  constructor({ model, device, clock, random }: SimulatedDeviceOptions) {
    this.name = device?.metadata.name ?? model.metadata.name
    this.configData = { ...model.spec.protocolConfigData, ...device?.spec.protocol?.configData }
    this.#clock = clock
    this.#at = clock.monotonic()
    const properties = propertiesOf(model, device)
    const behaviours = behavioursOf(model, device, properties)
    const parts = new Map<string, Part>()
    for (const property of properties) {
      const behaviour = behaviours.get(property.model.name) ?? defaultBehaviour(property.model, meaningsOf(property))
      const most = Number(property.model.maximum || '') || mostOf(property.model.type)
      const look = (name: string) => rawOf(parts.get(name))
      parts.set(property.model.name, {
        ...property,
        step: stepOf(behaviour),
        mover: createMover(behaviour, { random, look, most }),
        held: behaviour.kind === 'hold' ? (behaviour.value ?? '') : '',
      })
    }
    this.#parts = parts
    this.#order = inOrder(parts, (name) => behaviours.get(name))
  }

  get properties(): readonly SimulatedProperty[] {
    return [...this.#parts.values()]
  }

  read(property: string): PropertyValue {
    const part = this.#part(property)
    this.#advance()
    return part.mover ? typed(part.model, rounded(part.mover.value, part.step)) : typed(part.model, part.held)
  }

  write(property: string, value: PropertyValue): void {
    const part = this.#part(property)
    const text = plain(value)
    if (part.model.accessMode === 'ReadOnly') throw new WriteRefusal('read-only', `${property} is read-only`)
    const parsed = parseValue(part.model.type ?? 'STRING', text)
    if (!parsed.ok) throw new WriteRefusal('type', `${property} ${parsed.reason}`)
    const refusal = refuseDesired(part.model, text)
    if (refusal !== undefined) throw new WriteRefusal('bounds', `${property} ${refusal}`)
    this.#advance()
    part.mover = undefined
    part.held = parsed.value
  }

  set(property: string, value: PropertyValue): void {
    const part = this.#part(property)
    this.#advance()
    part.mover = undefined
    part.held = value
  }

  #part(name: string): Part {
    const part = this.#parts.get(name)
    if (!part) throw new WriteRefusal('unknown', `${this.name} has no property ${name}`)
    return part
  }

  /** No timer: the same on virtual time. */
  #advance(): void {
    const now = this.#clock.monotonic()
    let left = Math.max(0, now - this.#at) / 1000
    this.#at = now
    while (left > 0) {
      const step = left > SETTLED_SECONDS ? left - SETTLED_SECONDS : Math.min(left, STEP_SECONDS)
      for (const part of this.#order) part.mover?.advance(step)
      left -= step
    }
  }
}

/** The values that `convert.values` of its visitor knows. */
function meaningsOf({ visitor }: SimulatedProperty): readonly string[] {
  const { values = {} } = takeHostKeys(visitor).keys.convert ?? {}
  return [...new Set(Object.values(values))]
}

function propertiesOf(model: DeviceModel, device: Device | undefined): readonly SimulatedProperty[] {
  const own = new Map((device?.spec.properties ?? []).map((property) => [property.name, property]))
  const declared: ModelProperty[] = [...(model.spec.properties ?? [])]
  const known = new Set(declared.map(({ name }) => name))
  for (const { name } of own.values()) {
    if (!known.has(name)) declared.push({ name, type: 'STRING', accessMode: 'ReadOnly' })
  }
  return declared.map((property) => ({
    model: property,
    visitor: { ...property.visitors?.configData, ...own.get(property.name)?.visitors?.configData },
  }))
}

/** Those of the device's annotation go before those of its model. */
function behavioursOf(
  model: DeviceModel,
  device: Device | undefined,
  properties: readonly SimulatedProperty[],
): Behaviours {
  const all = new Map<string, Behaviour>()
  for (const { kind, metadata } of [model, ...(device ? [device] : [])]) {
    const text = metadata.annotations?.[SIMULATE_ANNOTATION]
    if (text === undefined) continue
    const parsed = parseBehaviours(text)
    if (!parsed.ok) throw annotationError(kind, parsed.reason)
    const names = new Set(properties.map((property) => property.model.name))
    for (const [name, behaviour] of parsed.value) {
      const missing = [name, ...sourcesOf(behaviour)].find((each) => !names.has(each))
      if (missing !== undefined) {
        throw annotationError(kind, `names no property: ${missing}; there is: ${[...names].join(', ')}`)
      }
      all.set(name, behaviour)
    }
  }
  return all
}

function annotationError(kind: string, reason: string): ConfigError {
  return new ConfigError(`the annotation ${SIMULATE_ANNOTATION} of the ${kind} ${reason}`, {
    code: 'MAPPERS_SIMULATE_ANNOTATION_INVALID',
    fields: { pointer: `/metadata/annotations/${SIMULATE_ANNOTATION.replace('/', '~1')}` },
  })
}

function inOrder(
  parts: ReadonlyMap<string, Part>,
  behaviourOf: (name: string) => Behaviour | undefined,
): readonly Part[] {
  const ordered: Part[] = []
  const done = new Set<string>()
  const visit = (name: string, path: readonly string[]) => {
    if (path.includes(name)) {
      throw annotationError(
        'DeviceModel',
        `goes round in a ring: ${[...path.slice(path.indexOf(name)), name].join(' looks at ')}`,
      )
    }
    if (done.has(name)) return
    const behaviour = behaviourOf(name)
    for (const source of behaviour ? sourcesOf(behaviour) : []) visit(source, [...path, name])
    done.add(name)
    const part = parts.get(name)
    if (part) ordered.push(part)
  }
  for (const name of parts.keys()) visit(name, [])
  return ordered
}

function rawOf(part: Part | undefined): RawValue {
  if (!part) return 0
  const value = part.mover ? part.mover.value : part.held
  return typeof value === 'bigint' || value instanceof Uint8Array ? Number(value) : value
}

/** The value as its type has it. */
function typed(model: ModelProperty, raw: RawValue | PropertyValue): PropertyValue {
  switch (model.type) {
    case 'INT':
      return typeof raw === 'bigint' ? raw : integerOf(raw)
    case 'FLOAT':
    case 'DOUBLE':
      return numeric(plainRaw(raw))
    case 'BOOLEAN':
      return raw === true || raw === 'true' || raw === 1
    case 'BYTES':
    case 'STREAM':
      return bytesOf(raw)
    default:
      return plain(raw)
  }
}

/** Digits of a text may be more than a double has. */
function integerOf(raw: Exclude<RawValue | PropertyValue, bigint>): PropertyValue {
  if (typeof raw === 'string') {
    const parsed = parseValue('INT', raw)
    if (parsed.ok) return parsed.value
  }
  return Math.round(numeric(plainRaw(raw)))
}

function bytesOf(raw: RawValue | PropertyValue): Uint8Array {
  if (raw instanceof Uint8Array) return raw
  const parsed = typeof raw === 'string' ? parseValue('BYTES', raw) : undefined
  if (parsed?.ok && parsed.value instanceof Uint8Array) return parsed.value
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(Math.round(Math.abs(numeric(plainRaw(raw))))))
  return bytes
}

function plainRaw(raw: RawValue | PropertyValue): RawValue {
  return typeof raw === 'bigint' || raw instanceof Uint8Array ? String(raw) : raw
}

function plain(value: PropertyValue): string {
  return formatValue(value)
}

function mostOf(type: PropertyType | undefined): number {
  return type === 'INT' ? 65_536 : Number.MAX_SAFE_INTEGER
}

const FINEST = 0.01

/** A sensor tells steps of the size of its noise, and of a half percent of its range or less. */
function stepOf(behaviour: Behaviour): number {
  if (behaviour.kind === 'noisy') return behaviour.amount > 0 ? decimalBelow(behaviour.amount) : stepOf(behaviour.inner)
  if (behaviour.kind !== 'sine' && behaviour.kind !== 'walk') return FINEST
  const range = behaviour.high - behaviour.low
  return range > 0 ? Math.min(1, decimalBelow(range / 200)) : FINEST
}

function decimalBelow(value: number): number {
  return 10 ** Math.floor(Math.log10(value))
}

function rounded(value: RawValue, step: number): RawValue {
  return typeof value === 'number' ? Number((Math.round(value / step) * step).toPrecision(15)) : value
}
