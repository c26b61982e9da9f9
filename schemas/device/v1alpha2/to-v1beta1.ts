import type { Json, JsonObject } from '../kubernetes.ts'
import { defined, listIn, numberIn, objectIn, textIn } from './json.ts'
import { protocolOf, visitorOf } from './protocol.ts'

/** The parts of a v1alpha2 object that a conversion reads. */
export interface Alpha {
  readonly spec: JsonObject
  /** `status.twins`, where v1alpha2 keeps desired values. */
  readonly twins: Json | undefined
}

export interface Beta {
  readonly spec: JsonObject
  /** What of it cannot be served as it stands, and what to write instead. */
  readonly problems: readonly string[]
}

/** Spec of a v1beta1 Device from one of v1alpha2. Never fails: what has no place is a problem. */
export function deviceToBeta({ spec, twins }: Alpha): Beta {
  const node = nodeOf(objectIn(spec['nodeSelector']))
  const protocol = protocolOf(objectIn(spec['protocol']))
  const properties = propertiesOf(spec, listIn(twins))
  return {
    spec: defined({
      deviceModelRef: objectIn(spec['deviceModelRef']),
      nodeName: node.name,
      protocol: protocol.config,
      properties: properties.list.length > 0 ? properties.list : undefined,
    }),
    problems: [...node.problems, ...protocol.problems, ...properties.problems],
  }
}

/** KubeEdge took the first value of the first expression, whatever it meant; only one that names one node is converted. */
function nodeOf(selector: JsonObject | undefined): { readonly name?: string; readonly problems: readonly string[] } {
  const terms = listIn(selector?.['nodeSelectorTerms'])
  if (!selector || terms.length === 0) return { problems: [] }
  const expressions = terms.flatMap((term) => [...listIn(term['matchExpressions']), ...listIn(term['matchFields'])])
  const [only] = expressions
  const values = only?.['values']
  const name = Array.isArray(values) && values.length === 1 ? textIn(values[0]) : undefined
  if (expressions.length === 1 && only?.['operator'] === 'In' && name) return { name, problems: [] }
  return { problems: ['nodeSelector does not name one node: write nodeName'] }
}

interface Property {
  readonly visitor?: JsonObject
  readonly desired?: JsonObject
}

function propertiesOf(spec: JsonObject, twins: readonly JsonObject[]) {
  const found = new Map<string, Property>()
  const problems: string[] = []
  const add = (entry: JsonObject, more: Property) => {
    const name = textIn(entry['propertyName'])
    if (name) found.set(name, { ...found.get(name), ...more })
    else problems.push('an entry of a property has no propertyName: name its property')
  }
  for (const visitor of listIn(spec['propertyVisitors'])) add(visitor, { visitor })
  for (const twin of twins) {
    const desired = objectIn(twin['desired'])
    add(twin, textIn(desired?.['value']) && desired ? { desired } : {})
  }
  for (const entry of listIn(objectIn(spec['data'])?.['dataProperties'])) add(entry, {})
  const list = [...found].map(([name, { visitor, desired }]) => {
    const converted = visitor ? visitorOf(visitor) : undefined
    problems.push(...(converted?.problems ?? []))
    return defined({
      name,
      desired,
      visitors: converted?.config,
      reportCycle: cycleOf(visitor?.['reportCycle']),
      collectCycle: cycleOf(visitor?.['collectCycle']),
    })
  })
  return { list, problems }
}

const NANOSECONDS = 1_000_000

/** v1alpha2 counts nanoseconds. What would be less than a millisecond was meant as milliseconds. */
function cycleOf(value: Json | undefined): number | undefined {
  const cycle = numberIn(value)
  if (cycle === undefined || cycle <= 0) return undefined
  return cycle < NANOSECONDS ? Math.ceil(cycle) : Math.round(cycle / NANOSECONDS)
}

const TYPES = [
  ['int', 'INT'],
  ['double', 'DOUBLE'],
  ['float', 'FLOAT'],
  ['string', 'STRING'],
  ['boolean', 'BOOLEAN'],
  ['bytes', 'BYTES'],
] as const

/** Spec of a v1beta1 DeviceModel from one of v1alpha2. Default values have no place there. */
export function modelToBeta({ spec }: Pick<Alpha, 'spec'>): Beta {
  const problems: string[] = []
  const properties = listIn(spec['properties']).map((property) => {
    const types = objectIn(property['type']) ?? {}
    const [type] = TYPES.filter(([key]) => objectIn(types[key]))
    if (!type)
      problems.push(
        `property ${textIn(property['name']) ?? ''} has no type: write one of ${TYPES.map(([, name]) => name).join(', ')}`,
      )
    const own = (type && objectIn(types[type[0]])) ?? {}
    return defined({
      name: property['name'],
      description: textIn(property['description']),
      type: type?.[1],
      accessMode: textIn(own['accessMode']),
      minimum: boundOf(own['minimum']),
      maximum: boundOf(own['maximum']),
      unit: textIn(own['unit']),
    })
  })
  const isPresent = Object.hasOwn(spec, 'properties')
  return {
    spec: defined({ protocol: textIn(spec['protocol']), properties: isPresent ? properties : undefined }),
    problems,
  }
}

function boundOf(value: Json | undefined): string | undefined {
  const bound = numberIn(value)
  return bound === undefined ? undefined : String(bound)
}
