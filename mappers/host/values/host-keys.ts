import { type Static, Type } from 'typebox'
import type { JsonObject } from '../../../schemas/index.ts'
import { type ConfigIssue, configSchema } from '../../contract/index.ts'

const Bits = Type.Object(
  {
    first: Type.Integer({
      minimum: 0,
      maximum: 63,
      description: 'Lowest bit of the field; 0 is the least significant.',
    }),
    count: Type.Integer({ minimum: 1, maximum: 64, default: 1, description: 'How many bits the field has.' }),
  },
  { additionalProperties: false, description: 'A field of bits in an integer. The other bits keep what they are.' },
)

const UnitPair = Type.Object(
  {
    from: Type.String({ minLength: 1, description: 'The unit in which the device counts, e.g. `°F`, `psi`, `L/min`.' }),
    to: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'The unit of the value. Default: `unit` of the property in the DeviceModel.',
      }),
    ),
  },
  { additionalProperties: false, description: 'Converts between units of one physical quantity.' },
)

const Convert = Type.Object(
  {
    bits: Type.Optional(Bits),
    scale: Type.Optional(
      Type.Number({ description: 'The raw value is multiplied by this; not 0. Exact in decimals.' }),
    ),
    offset: Type.Optional(Type.Number({ description: 'Added after `scale`.' })),
    unit: Type.Optional(UnitPair),
    values: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        minProperties: 1,
        description:
          'What raw values mean: `{"0": "off", "1": "on"}`. A value that is not listed cannot be read or written.',
      }),
    ),
  },
  {
    additionalProperties: false,
    description:
      'How what the device holds becomes the value: `bits`, then `scale`, `offset`, `unit` and `values`; backwards when it is written.',
  },
)
export type ConvertConfig = Static<typeof Convert>

const HostKeys = Type.Object(
  {
    convert: Type.Optional(Convert),
    deadband: Type.Optional(
      Type.Union(
        [Type.Number({ minimum: 0 }), Type.String({ pattern: '^\\s*\\d+(\\.\\d+)?\\s*%\\s*$', examples: ['1%'] })],
        {
          description:
            'A change that is not greater is not reported: a number in the unit of the value, or percent of the value that was reported last.',
        },
      ),
    ),
  },
  {
    title: 'Every protocol',
    description: 'Keys of `visitors.configData` that the mapper host takes out before the protocol reads the rest.',
  },
)
export type HostKeys = Static<typeof HostKeys>

const schema = configSchema(HostKeys)

/** JSON Schema of the keys that every protocol has, for admission, reference and editors. */
export const hostKeysSchema: object = HostKeys

const CASES: ReadonlyMap<string, string> = new Map(
  Object.keys(HostKeys.properties).map((key) => [key.toLowerCase(), key]),
)

export interface TakenKeys {
  /** Empty where nothing is converted, or where `issues` says what is wrong. */
  readonly keys: HostKeys
  readonly issues: readonly ConfigIssue[]
  /** What the protocol gets to see. */
  readonly rest: JsonObject
}

/** Parts what the host does from what a protocol has to understand. */
export function takeHostKeys(configData: JsonObject): TakenKeys {
  const own: [string, unknown][] = []
  const rest: [string, JsonObject[string]][] = []
  for (const [key, value] of Object.entries(configData)) {
    if (CASES.has(key.toLowerCase())) own.push([key, value])
    else rest.push([key, value])
  }
  if (own.length === 0) return { keys: {}, issues: [], rest: configData }
  const issues = [...strangers(own)]
  const parsed = schema.parse(Object.fromEntries(own))
  if (!parsed.ok) issues.push(...parsed.issues)
  return { keys: parsed.ok && issues.length === 0 ? parsed.value : {}, issues, rest: Object.fromEntries(rest) }
}

/** The visitor schema of a protocol together with the keys that every protocol has. */
export function withHostKeys(visitorSchema: object): object {
  const properties = 'properties' in visitorSchema ? visitorSchema.properties : undefined
  return { ...visitorSchema, properties: { ...Object(properties), ...HostKeys.properties } }
}

/** A misspelt key would be a value that is wrong in silence. */
function strangers(own: readonly (readonly [string, unknown])[]): readonly ConfigIssue[] {
  const issues: ConfigIssue[] = []
  const check = (value: unknown, pointer: string, known: object) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return
    for (const key of Object.keys(value)) {
      if (Object.hasOwn(known, key)) continue
      const message = `is not known; known here: ${Object.keys(known).join(', ')}`
      issues.push({ pointer: `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, message })
    }
  }
  for (const [key, value] of own) {
    if (key.toLowerCase() !== 'convert') continue
    check(value, `/${key}`, Convert.properties)
    if (typeof value !== 'object' || value === null) continue
    if ('bits' in value) check(value.bits, `/${key}/bits`, Bits.properties)
    if ('unit' in value) check(value.unit, `/${key}/unit`, UnitPair.properties)
  }
  return issues
}
