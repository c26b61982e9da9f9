import type { Json } from '../../../schemas/index.ts'
import { fieldPathOf } from '../cel/index.ts'
import type { StructuralSchema } from '../resource.ts'
import { child, duplicate, type FieldError, index, invalid, required, tooMany } from '../schema/field-error.ts'
import { at, isJsonArray, isJsonObject, isSame } from '../schema/json.ts'
import { parseJsonPath } from '../table/json-path.ts'
import { ruleErrors } from './rule-errors.ts'
import { isSchema, structuralErrors } from './structural.ts'

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string']
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']
const MOST_SELECTABLE = 8

type Part = 'schema' | 'subresources' | 'additionalPrinterColumns' | 'selectableFields'
const PARTS = ['schema', 'subresources', 'additionalPrinterColumns', 'selectableFields'] as const
/** Where parts that are the same in all versions stand for an API server, which judges them once. */
const SHARED = {
  schema: 'spec.validation',
  subresources: 'spec.subresources',
  additionalPrinterColumns: 'spec.additionalPrinterColumns',
  selectableFields: 'spec.selectableFields',
} as const

/** What is wrong with the parts that each version of a kind declares, or that all share. */
export function partErrors(versions: readonly Json[]): readonly FieldError[] {
  const [first] = versions
  if (first === undefined) return []
  const shared = new Set<Part>(
    PARTS.filter((part) => versions.every((each) => isSame(at(each, part), at(first, part)))),
  )
  return PARTS.flatMap((part) => {
    if (shared.has(part)) return errorsOf(first, part, SHARED[part], child(index('spec.versions', 0), 'schema'))
    return versions.flatMap((version, position) => {
      const path = index('spec.versions', position)
      return errorsOf(version, part, child(path, part), child(path, 'schema'))
    })
  })
}

/** `own` is where the schema of the version itself stands, which has to be there. */
function errorsOf(version: Json, part: Part, path: string, own: string): readonly FieldError[] {
  const schema = at(version, 'schema', 'openAPIV3Schema')
  switch (part) {
    case 'schema':
      if (schema === undefined) return [required(child(own, 'openAPIV3Schema'))]
      return schemaErrors(schema, child(path, 'openAPIV3Schema'))
    case 'subresources':
      return scaleErrors(at(version, 'subresources', 'scale'), child(path, 'scale'))
    case 'additionalPrinterColumns':
      return columnErrors(at(version, part), path)
    case 'selectableFields':
      return selectableErrors(at(version, part), path, isSchema(schema) ? schema : {})
  }
}

function schemaErrors(schema: Json, path: string): readonly FieldError[] {
  const errors = structuralErrors(schema, path)
  return errors.length === 0 && isSchema(schema) ? ruleErrors(schema, path) : errors
}

function scaleErrors(scale: Json | undefined, path: string): readonly FieldError[] {
  if (!isJsonObject(scale)) return []
  const place = (key: string, roots: readonly string[], isNeeded: boolean) => {
    const value = scale[key]
    if (typeof value !== 'string' || value === '') return isNeeded ? [required(child(path, key))] : []
    if (!isSimplePath(value)) return [invalid(child(path, key), value, 'must be a simple json path starting with .')]
    if (roots.some((root) => value.startsWith(`${root}.`))) return []
    return [invalid(child(path, key), value, `should be a json path under ${roots.join(' or ')}`)]
  }
  return [
    ...place('specReplicasPath', ['.spec'], true),
    ...place('statusReplicasPath', ['.status'], true),
    ...place('labelSelectorPath', ['.spec', '.status'], false),
  ]
}

function isSimplePath(path: string): boolean {
  return path.startsWith('.')
}

function columnErrors(columns: Json | undefined, path: string): readonly FieldError[] {
  if (!isJsonArray(columns)) return []
  return columns.flatMap((column, position) => {
    const here = index(path, position)
    const type = at(column, 'type') ?? ''
    const format = at(column, 'format')
    const isFormat = format === undefined || (typeof format === 'string' && COLUMN_FORMATS.includes(format))
    return [
      ...(at(column, 'name') ? [] : [required(child(here, 'name'))]),
      ...(type === '' ? [required(child(here, 'type'), `must be one of ${COLUMN_TYPES.join(',')}`)] : []),
      ...(type === '' || (typeof type === 'string' && COLUMN_TYPES.includes(type))
        ? []
        : [invalid(child(here, 'type'), type, `must be one of ${COLUMN_TYPES.join(',')}`)]),
      ...(isFormat ? [] : [invalid(child(here, 'format'), format, `must be one of ${COLUMN_FORMATS.join(',')}`)]),
      ...jsonPathErrors(at(column, 'jsonPath'), child(here, 'JSONPath')),
    ]
  })
}

function jsonPathErrors(path: Json | undefined, field: string): readonly FieldError[] {
  if (typeof path !== 'string' || path === '') return [required(field)]
  if (!path.startsWith('.')) return [invalid(field, path, 'must be a simple json path starting with .')]
  try {
    parseJsonPath(path)
    return []
  } catch (error) {
    if (error instanceof SyntaxError) return [invalid(field, path, error.message)]
    throw error
  }
}

function selectableErrors(fields: Json | undefined, path: string, schema: StructuralSchema): readonly FieldError[] {
  if (!isJsonArray(fields)) return []
  const seen = new Set<string>()
  const errors: FieldError[] = []
  for (const [position, field] of fields.entries()) {
    const here = child(index(path, position), 'jsonPath')
    const value = at(field, 'jsonPath')
    if (typeof value !== 'string' || value === '') errors.push(required(here))
    else if (seen.has(value)) errors.push(duplicate(here, value))
    else errors.push(...selectableError(value, here, schema))
    if (typeof value === 'string') seen.add(value)
  }
  if (seen.size > MOST_SELECTABLE) errors.push(tooMany(path, fields.length, MOST_SELECTABLE))
  return errors
}

function selectableError(value: string, path: string, schema: StructuralSchema): readonly FieldError[] {
  const wrong = (detail: string) => [invalid(path, value, `is an invalid path: ${detail}`)]
  if (!value.startsWith('.')) return wrong(`expected [ or . but got: ${value.split('.')[0]}`)
  if (value.includes('[')) return wrong('array notation is not allowed')
  const { metadata: _, ...properties } = schema.properties ?? {}
  if (fieldPathOf(value, { ...schema, properties }) === undefined) return wrong('does not refer to a valid field')
  const found = value
    .slice(1)
    .split('.')
    .reduce<StructuralSchema | undefined>((here, name) => here?.properties?.[name], schema)
  if (found?.type === 'string' || found?.type === 'boolean' || found?.type === 'integer') return []
  const types = 'must point to a field of type string, boolean or integer'
  return [invalid(path, value, `${types}. Enum string fields and strings with formats are allowed.`)]
}
