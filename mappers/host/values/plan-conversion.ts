import type { ModelProperty, PropertyType } from '../../../schemas/index.ts'
import type { ConfigIssue } from '../../contract/index.ts'
import { coerce } from './coerce.ts'
import { Conversion } from './conversion.ts'
import { Enumeration, rawTypeOf } from './enumeration.ts'
import type { ConvertConfig } from './host-keys.ts'
import { Linear } from './linear.ts'
import { exactly, rational } from './rational.ts'
import { convertUnit, isKnownUnit } from './units.ts'

export interface PlannedConversion {
  /** Absent where nothing has to be converted, and where it is refused. */
  readonly conversion?: Conversion
  readonly issues: readonly ConfigIssue[]
  readonly warnings: readonly ConfigIssue[]
}

const NUMERIC: readonly PropertyType[] = ['INT', 'FLOAT', 'DOUBLE']

/** Judges `convert` of a property, offline. Pointers begin below `convert`. */
export function planConversion(model: ModelProperty, config: ConvertConfig): PlannedConversion {
  const { bits, values } = config
  const type = model.type ?? 'STRING'
  const issues: ConfigIssue[] = []
  const warnings: ConfigIssue[] = []
  const issue = (pointer: string, message: string) => void issues.push({ pointer, message })
  const linear = linearOf(model, config, issue, (pointer, message) => void warnings.push({ pointer, message }))
  if (bits && bits.first + bits.count > 64) {
    issue('/bits', `bits ${bits.first} to ${bits.first + bits.count - 1} lie beyond the 64 that an integer has at most`)
  }
  const isNumeric = bits !== undefined || !linear.isSame
  if (values)
    judgeValues(model, values, isNumeric, issue, (pointer, message) => void warnings.push({ pointer, message }))
  else if (!NUMERIC.includes(type) && isNumeric) {
    const isSwitch = type === 'BOOLEAN' && bits?.count === 1 && linear.isSame
    if (!isSwitch) issue('', needs(type))
  }
  if (issues.length > 0 || (!isNumeric && !values)) return { issues, warnings }
  const keyType = values && rawTypeOf(values)
  const enumeration = values && new Enumeration(type, keyType ?? 'STRING', values)
  const rawType = bits ? 'INT' : !linear.isSame && values ? 'DOUBLE' : (keyType ?? type)
  const text = JSON.stringify([config, model.unit])
  return { conversion: new Conversion({ text, type, rawType, bits, linear, enumeration }), issues, warnings }
}

type Say = (pointer: string, message: string) => void

function linearOf(model: ModelProperty, { scale, offset, unit }: ConvertConfig, issue: Say, warn: Say): Linear {
  let linear = Linear.same
  if (scale === 0) issue('/scale', 'must not be 0: every value would be the same')
  else if (scale !== undefined) linear = linear.followedBy(new Linear(exactly(scale), rational(0n)))
  if (offset !== undefined) linear = linear.followedBy(new Linear(rational(1n), exactly(offset)))
  if (!unit) return linear
  const to = unit.to ?? model.unit
  if (to === undefined) {
    issue('/unit/to', 'is required: the DeviceModel names no unit of the property either')
    return linear
  }
  const found = convertUnit(unit.from, to)
  if (!found.ok) {
    issue(`/unit/${found.at}`, found.reason)
    return linear
  }
  if (model.unit !== undefined && unit.to !== undefined && isKnownUnit(model.unit)) {
    const shown = convertUnit(unit.to, model.unit)
    if (!shown.ok || !shown.linear.isSame) {
      warn('/unit/to', `the value is in ${unit.to}, but the DeviceModel says that it is in ${model.unit}`)
    }
  }
  return linear.followedBy(found.linear)
}

function judgeValues(
  model: ModelProperty,
  values: Readonly<Record<string, string>>,
  isNumeric: boolean,
  issue: Say,
  warn: Say,
): void {
  const type = model.type ?? 'STRING'
  const rawType = rawTypeOf(values)
  const meanings = new Map<string, string>()
  for (const [raw, text] of Object.entries(values)) {
    const pointer = `/values/${raw.replaceAll('~', '~0').replaceAll('/', '~1')}`
    const fits = coerce(type, text)
    if (!fits.ok) issue(pointer, fits.reason)
    if (isNumeric && rawType !== 'INT' && rawType !== 'DOUBLE') {
      if (!Number.isFinite(Number(raw))) issue(pointer, 'must be a number: bits, scale, offset and unit give numbers')
    }
    const before = meanings.get(text)
    if (before === undefined) meanings.set(text, raw)
    else if (model.accessMode !== 'ReadOnly') warn(pointer, `${text} is written as ${before}; ${raw} is only read`)
  }
}

function needs(type: PropertyType): string {
  if (type === 'BOOLEAN') return 'a BOOLEAN is one bit: give bits with a count of 1, or values with true and false'
  return `bits, scale, offset and unit need a property of type INT, FLOAT or DOUBLE; this one is ${type}`
}
