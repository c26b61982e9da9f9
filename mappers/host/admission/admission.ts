import { type Duration, ms } from '../../../platform/time/index.ts'
import {
  type AssignedDevice,
  type DeviceId,
  type DeviceRefusal,
  deviceIdOf,
  type MergedProperty,
  type ModelProperty,
  mergedProperties,
  mergedProtocolConfig,
  type Parsed,
  type PropertyType,
  TIME_TO_LIVE_ANNOTATION,
  timesToLive,
} from '../../../schemas/index.ts'
import type { Mapper, Property, Visit, VisitId } from '../../contract/index.ts'
import type { Conversion } from '../values/conversion.ts'
import { type Deadband, parseDeadband } from '../values/deadband.ts'
import { type HostKeys, takeHostKeys } from '../values/host-keys.ts'
import { planConversion } from '../values/plan-conversion.ts'
import { askFlag, askText, parseWith } from './ask.ts'
import { parseCycle } from './cycle.ts'
import { methodFindings } from './methods.ts'
import { type Slip, slipsIn } from './slips.ts'

/** A mapper whose own types are forgotten: configs it parsed are only ever given back to it. */
export type AnyMapper = Mapper<unknown, unknown, AsyncDisposable>
export type AnyVisit = Visit<unknown, unknown>

/** A device as its line drives it: configs parsed, cycles decided. */
export interface DevicePlan {
  readonly id: DeviceId
  readonly uid: string
  readonly key: string
  /** Devices of one connection with the same peer fail together. */
  readonly peer: string
  readonly config: unknown
  readonly properties: readonly PropertyPlan[]
  /** What can only be called: neither read nor written. */
  readonly callables: readonly PropertyPlan[]
}

export interface PropertyPlan {
  readonly visit: AnyVisit
  readonly model: ModelProperty
  /** Between what its driver reads and writes, and its value. */
  readonly conversion?: Conversion
  readonly deadband?: Deadband
  readonly collect: Duration
  /** How often an unchanged value is reported; absent: never. */
  readonly report?: Duration
  /** How often a value that could be read is reported at least, so that its time to live does not end. */
  readonly confirm?: Duration
  /** The host reads it; otherwise its driver pushes it. */
  readonly isPolled: boolean
}

export interface Admission {
  /** With warnings, which do not keep the device from being driven. */
  readonly refusals: readonly DeviceRefusal[]
  /** Absent when the device is refused. */
  readonly plan?: DevicePlan
}

/** Judges a device offline, from its manifest alone. `revision` makes the visit ids of this plan unlike those of others. */
export function admit(mapper: AnyMapper, assigned: AssignedDevice, revision: number): Admission {
  const { device, model } = assigned
  const findings = new Findings(device.metadata.generation ?? 0)
  const id = deviceIdOf(device.metadata)
  const given = mergedProtocolConfig(device, model)
  const parsed = parseWith(mapper.deviceConfig, given)
  for (const slip of slipsIn(given, mapper.deviceConfig.jsonSchema)) findings.slip('/spec/protocol/configData', slip)
  if (!parsed.ok) {
    for (const issue of parsed.issues) findings.refuse(`/spec/protocol/configData${issue.pointer}`, issue.message)
  }
  const config = parsed.ok ? parsed.value : undefined
  const properties: PropertyPlan[] = []
  const callables: PropertyPlan[] = []
  const timeToLiveOf = timesToLive(device, model)
  const names = new Set<string>()
  for (const [index, merged] of mergedProperties(device, model).entries()) {
    const pointer = `/spec/properties/${index}`
    if (names.has(merged.device.name)) findings.refuse(`${pointer}/name`, `${merged.device.name} stands here twice`)
    names.add(merged.device.name)
    const visitId = toVisitId(`${id}/${merged.device.name}@${revision}`)
    const timeToLive = timeToLiveOf(merged.device.name)
    const plan = planProperty(mapper, merged, { deviceId: id, visitId, config, pointer, findings, timeToLive })
    if (!plan) continue
    const isCallable = askFlag('isCallable', () => mapper.isCallable?.(plan.visit.visitor))
    if (!isCallable.ok) findings.refuse(`${pointer}/visitors/configData`, isCallable.reason)
    else (isCallable.value === true ? callables : properties).push(plan)
  }
  for (const { pointer, message } of methodFindings(assigned)) findings.warn(pointer, message)
  if (!parsed.ok || findings.refused) return { refusals: findings.list }
  const place = placeOf(mapper, parsed.value)
  if (!place.ok) {
    findings.refuse('/spec/protocol/configData', place.reason)
    return { refusals: findings.list }
  }
  const plan = { id, uid: device.metadata.uid ?? '', ...place.value, config, properties, callables }
  return { refusals: findings.list, plan }
}

function placeOf(mapper: AnyMapper, config: unknown): Parsed<Pick<DevicePlan, 'key' | 'peer'>> {
  const key = askText('connectionKey', () => mapper.connectionKey(config))
  if (!key.ok) return key
  const peer = askText('peer', () => mapper.peer?.(config))
  if (!peer.ok) return peer
  if (key.value === undefined)
    return { ok: false, reason: 'cannot be judged: connectionKey of the mapper gave nothing' }
  return { ok: true, value: { key: key.value, peer: peer.value ?? '' } }
}

interface PropertyContext {
  readonly deviceId: DeviceId
  readonly visitId: VisitId
  readonly config: unknown
  readonly pointer: string
  readonly findings: Findings
  /** ms. */
  readonly timeToLive: number | undefined
}

function planProperty(mapper: AnyMapper, merged: MergedProperty, context: PropertyContext): PropertyPlan | undefined {
  const { pointer, findings } = context
  const at = `${pointer}/visitors/configData`
  const { keys, issues, rest } = takeHostKeys(merged.visitor)
  for (const issue of issues) findings.refuse(`${at}${issue.pointer}`, issue.message)
  const visitor = parseWith(mapper.visitorConfig, rest)
  for (const slip of slipsIn(rest, mapper.visitorConfig.jsonSchema)) findings.slip(at, slip)
  if (!visitor.ok) {
    if (Object.keys(rest).length === 0) {
      findings.warn(
        `${pointer}/visitors`,
        'is absent, in the DeviceModel too: the property is neither read nor written',
      )
    } else for (const issue of visitor.issues) findings.refuse(`${at}${issue.pointer}`, issue.message)
    return undefined
  }
  const values = planValues(merged.model, keys, at, findings)
  const property = propertyOf(merged.model, values.conversion)
  const rejection = askText('reject', () => mapper.reject?.(property, visitor.value, context.config))
  const reason = rejection.ok ? rejection.value : rejection.reason
  if (reason !== undefined) findings.refuse(at, reason)
  const collect = parseCycle(merged.device.collectCycle)
  if (collect.warning) findings.warn(`${pointer}/collectCycle`, collect.warning)
  const report = merged.device.reportCycle === undefined ? undefined : parseCycle(merged.device.reportCycle)
  if (report?.warning) findings.warn(`${pointer}/reportCycle`, report.warning)
  return {
    visit: Object.freeze({
      ...{ id: context.visitId, deviceId: context.deviceId },
      ...{ device: context.config, property, visitor: visitor.value },
    }),
    model: merged.model,
    ...values,
    ...confirmation(mapper, visitor.value, collect.duration, context),
    ...(report ? { report: report.duration } : {}),
  }
}

/** What the host does with the values of a property; what it cannot do is refused. */
function planValues(
  model: ModelProperty,
  { convert, deadband }: HostKeys,
  at: string,
  findings: Findings,
): Pick<PropertyPlan, 'conversion' | 'deadband'> {
  const planned = convert && planConversion(model, convert)
  for (const { pointer, message } of planned?.issues ?? []) findings.refuse(`${at}/convert${pointer}`, message)
  for (const { pointer, message } of planned?.warnings ?? []) findings.warn(`${at}/convert${pointer}`, message)
  const band = deadband === undefined ? undefined : parseDeadband(deadband)
  const type = model.type ?? 'STRING'
  if (band && !isNumeric(type)) {
    findings.refuse(`${at}/deadband`, `needs a property of type INT, FLOAT or DOUBLE; this one is ${type}`)
  }
  return {
    ...(planned?.conversion ? { conversion: planned.conversion } : {}),
    ...(band ? { deadband: band } : {}),
  }
}

function isNumeric(type: PropertyType): boolean {
  return type === 'INT' || type === 'FLOAT' || type === 'DOUBLE'
}

/** So many confirmations in one time to live: one may be lost, and one be late. */
const POLLS = 3
/** Of values that are pushed at any moment, so that the last one is never much older than the twin knows. */
const PUSHES = 10

/** How the host sees to it that a value which can be read is confirmed within its time to live. */
function confirmation(
  mapper: AnyMapper,
  visitor: unknown,
  collect: Duration,
  { timeToLive, findings, pointer: at }: PropertyContext,
): Pick<PropertyPlan, 'collect' | 'confirm' | 'isPolled'> {
  const answer = askFlag('isPushed', () => mapper.isPushed?.(visitor))
  if (!answer.ok) findings.refuse(`${at}/visitors/configData`, answer.reason)
  const isPushed = mapper.watch !== undefined && (!answer.ok || (answer.value ?? true))
  const canRead = mapper.read !== undefined
  if (timeToLive === undefined) return { collect, isPolled: canRead && !isPushed }
  // A driver that pushes may say nothing while nothing changes: it is asked.
  if (isPushed) return { collect: ms(timeToLive / POLLS), confirm: ms(timeToLive / PUSHES), isPolled: canRead }
  if (collect.milliseconds >= timeToLive) {
    const pointer = `/metadata/annotations/${TIME_TO_LIVE_ANNOTATION.replace('/', '~1')}`
    findings.warn(
      pointer,
      `${timeToLive} ms is not longer than the collectCycle of ${collect.milliseconds} ms: the value is stale between two readings`,
    )
  }
  return { collect, confirm: ms(timeToLive / POLLS), isPolled: canRead }
}

/** Bounds and unit are those of the value; a driver of a converted property holds something else. */
function propertyOf(model: ModelProperty, conversion: Conversion | undefined): Property {
  if (conversion) {
    return Object.freeze({
      name: model.name,
      type: conversion.rawType,
      accessMode: model.accessMode ?? 'ReadWrite',
    })
  }
  return Object.freeze({
    name: model.name,
    type: model.type ?? 'STRING',
    accessMode: model.accessMode ?? 'ReadWrite',
    ...(model.unit === undefined ? {} : { unit: model.unit }),
    ...(model.minimum === undefined ? {} : { minimum: model.minimum }),
    ...(model.maximum === undefined ? {} : { maximum: model.maximum }),
  })
}

/** Visit ids are made here and nowhere else. */
function toVisitId(text: string): VisitId
function toVisitId(text: string): string {
  return text
}

class Findings {
  readonly #generation: number
  readonly list: DeviceRefusal[] = []
  refused = false

  constructor(generation: number) {
    this.#generation = generation
  }

  refuse(pointer: string, message: string): void {
    this.refused = true
    this.list.push({ generation: this.#generation, pointer, message })
  }

  warn(pointer: string, message: string): void {
    this.list.push({ generation: this.#generation, pointer, message, warning: true })
  }
  slip(pointer: string, { key, meant }: Slip): void {
    this.warn(
      `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`,
      `is not known and ignored; is ${meant} meant?`,
    )
  }
}
