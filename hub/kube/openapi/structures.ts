import type { Json, JsonObject } from '../../../schemas/index.ts'
import { ATOMIC_TYPES, factsOfField, fieldsOfType, nameOfType, type TypeField } from '../builtin/index.ts'
import type { StructuralSchema } from '../resource.ts'
import { OBJECT_META } from '../schema/object-meta.ts'
import type { Documentation } from './documentation.ts'
import {
  DEFAULTS,
  EMPTY_THERE,
  ENUMS,
  LEAF_OF_CODE,
  LEAF_OF_FIELD,
  LEAF_TYPES,
  TEXT_OF_LEAF,
  TYPE_FACTS,
  WITHOUT_ZERO,
  ZERO_THERE,
} from './published-facts.ts'
import { ownWords, structureWords } from './words/index.ts'

export const REF = '#/components/schemas/'

/** The schemas of Kubernetes' own structures as they are referred to. */
export interface Structures {
  /** By name; grows as structures are referred to. */
  readonly schemas: Record<string, Json>
  /** `$ref` of a structure by its class name. */
  refer(model: string): { readonly $ref: string }
  /** `$ref` of a structure without fields, by its name. */
  referLeaf(name: string): { readonly $ref: string }
}

type Place = 'field' | 'item' | 'value'

const OWNERS = [
  'x-kubernetes-list-map-keys',
  'x-kubernetes-list-type',
  'x-kubernetes-map-type',
  'x-kubernetes-patch-merge-key',
  'x-kubernetes-patch-strategy',
] as const

const PRIMITIVES: Readonly<Record<string, JsonObject>> = {
  s: { type: 'string' },
  y: { type: 'string', format: 'byte' },
  b: { type: 'boolean' },
  i: { type: 'integer', format: 'int32' },
  l: { type: 'integer', format: 'int64' },
  d: { type: 'number', format: 'double' },
  a: { type: 'object' },
}
const ZEROS: Readonly<Record<string, Json>> = { s: '', b: false, i: 0, l: 0, d: 0 }

/**
 * What is published is more than what is validated: also which fields people are told to set, what stands where nothing is set, and
 * what it is for.
 */
export function createStructures(documentation: Documentation): Structures {
  const schemas: Record<string, Json> = {}
  const leafTexts = new Map<string, string>()
  const words = ownWords()
  const leafWords = structureWords()

  const refer = (model: string): { readonly $ref: string } => {
    const name = nameOfType(model)
    if (schemas[name] === undefined) {
      // Named before it is filled, as it may contain itself.
      schemas[name] = {}
      schemas[name] = structure(model)
    }
    return { $ref: REF + name }
  }

  const referLeaf = (name: string): { readonly $ref: string } => {
    const text = leafTexts.get(name) ?? leafWords[name]
    schemas[name] = { ...(text === undefined ? {} : { description: text }), ...LEAF_TYPES[name] }
    return { $ref: REF + name }
  }

  const structure = (model: string): JsonObject => {
    const texts = documentation(model)
    const fields = fieldsOfType(model)
    const required = fields.filter(({ isRequired }) => isRequired).map(({ name }) => name)
    return {
      ...(texts?.text === undefined ? {} : { description: texts.text }),
      type: 'object',
      ...(required.length > 0 ? { required } : {}),
      properties: Object.fromEntries(fields.map((each) => [each.name, field(model, each, texts?.field(each.name))])),
      ...(ATOMIC_TYPES.has(model) ? { 'x-kubernetes-map-type': 'atomic' } : {}),
      ...TYPE_FACTS[model],
    }
  }

  const field = (model: string, { name, code, isRequired }: TypeField, text: string | undefined): JsonObject => {
    const key = `${model}.${name}`
    const leaf = leafOf(key, code)
    const isOfLeaf = leaf !== undefined && TEXT_OF_LEAF.has(leaf)
    if (isOfLeaf && text !== undefined) leafTexts.set(leaf, text)
    const enumeration = ENUMS.get(key)
    const own = words[model]?.[name]
    const described = withChoices(isOfLeaf ? own : (text ?? own), enumeration)
    const said = {
      ...(described === undefined ? {} : { description: described }),
      ...value({ key, isRequired, enumeration, model: modelIn(code) }, code, 'field'),
      ...owners(model, name, code),
    }
    return merged(said)
  }

  interface Value {
    readonly key: string
    readonly isRequired: boolean
    readonly enumeration: readonly string[] | undefined
    readonly model: string
  }

  const value = (of: Value, code: string, place: Place): JsonObject => {
    const rest = code.slice(1)
    if (code.startsWith('*')) return { type: 'array', items: within(value(of, rest, 'item')) }
    if (code.startsWith('%')) return { type: 'object', additionalProperties: within(value(of, rest, 'value')) }
    const leaf = leafOf(of.key, code)
    if (leaf !== undefined) return referLeaf(leaf)
    if (code.startsWith('@')) {
      const isThere = place !== 'field' || EMPTY_THERE.has(of.key) || of.model === 'V1ObjectMeta'
      return { ...(isThere ? { default: {} } : {}), ...refer(of.model) }
    }
    const preset = DEFAULTS[of.key] ?? (isZeroThere(of, place) ? ZEROS[code] : undefined)
    return {
      ...PRIMITIVES[code],
      ...(preset === undefined ? {} : { default: preset }),
      ...(of.enumeration ? { enum: of.enumeration } : {}),
    }
  }

  return { schemas, refer, referLeaf }
}

/** OpenAPI 3.0 lets nothing stand beside a `$ref`. */
export function merged(schema: JsonObject): JsonObject {
  const { $ref, ...rest } = schema
  return $ref === undefined ? schema : { ...rest, allOf: [{ $ref }] }
}

/** What nothing is said of needs no `allOf` around it. */
function within(schema: JsonObject): JsonObject {
  return Object.keys(schema).length === 1 ? schema : merged(schema)
}

function isZeroThere({ key, isRequired }: { readonly key: string; readonly isRequired: boolean }, place: Place) {
  if (place !== 'field') return true
  return isRequired ? !WITHOUT_ZERO.has(key) : ZERO_THERE.has(key)
}

/** A field of a structure that has no fields itself. */
function leafOf(key: string, code: string): string | undefined {
  if (code.includes('@')) return undefined
  return LEAF_OF_FIELD[key] ?? LEAF_OF_CODE[code.replaceAll(/[*%]/g, '')]
}

function modelIn(code: string): string {
  return code.replaceAll(/[*%@]/g, '')
}

/** Every list says how it is owned; most are owned whole. */
function owners(model: string, name: string, code: string): JsonObject {
  const facts = model === 'V1ObjectMeta' ? metadataFacts(name) : factsOfField(`${model}.${name}`)
  const said = OWNERS.flatMap((key) => (facts?.[key] === undefined ? [] : [[key, facts[key]] as const]))
  return { ...(code.startsWith('*') ? { 'x-kubernetes-list-type': 'atomic' } : {}), ...Object.fromEntries(said) }
}

function metadataFacts(name: string): StructuralSchema | undefined {
  return OBJECT_META.properties?.[name]
}

/** Kubernetes lists the values of a field below its description. */
function withChoices(text: string | undefined, values: readonly string[] | undefined): string | undefined {
  if (!values) return text
  const choices = values.map((value) => ` - \`"${value}"\``)
  return [...(text === undefined ? [] : [text, '']), 'Possible enum values:', ...choices].join('\n')
}
