import type { Json } from '../../../schemas/index.ts'
import type { ApiObject, PrinterColumn, ResourceDefinition } from '../resource.ts'
import { at, isJsonArray, isJsonObject } from '../schema/json.ts'
import { ageOf } from './age.ts'
import { type JsonPath, parseJsonPath } from './json-path.ts'

/** One column of a Table, and how an object fills it. `now` is Unix ms. */
export interface Column {
  readonly name: string
  readonly type: string
  readonly format: string
  readonly description: string
  readonly priority: number
  cell(object: ApiObject, now: number): Json
}

export function column(name: string, cell: Column['cell'], more: Partial<Omit<Column, 'name' | 'cell'>> = {}): Column {
  return { name, type: 'string', format: '', description: '', priority: 0, ...more, cell }
}

export const NAME: Column = column('Name', (object) => at(object.metadata, 'name') ?? '', {
  format: 'name',
  description:
    'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a ' +
    'client to request the generation of an appropriate name automatically. Name is primarily intended for creation ' +
    'idempotence and configuration definition. Cannot be updated.',
})

export const AGE: Column = column('Age', (object, now) => ageOf(at(object.metadata, 'creationTimestamp'), now), {
  description: 'CreationTimestamp is a timestamp representing the server time when this object was created.',
})

/** Name and the columns that a CustomResourceDefinition declares for this version. */
export function declaredColumns(definition: Pick<ResourceDefinition, 'printerColumns'>): readonly Column[] {
  const declared = definition.printerColumns
  return [NAME, ...(declared.length === 0 ? [{ ...AGE, type: 'date' }] : declared.map(declaredColumn))]
}

function declaredColumn(declared: PrinterColumn): Column {
  const path = compile(declared.jsonPath)
  const { name, type, format = '', description = '', priority = 0 } = declared
  return {
    name,
    type,
    format,
    description: description || `Custom resource definition column (in JSONPath format): ${declared.jsonPath}`,
    priority,
    cell: (object, now) => {
      const [found] = path(object)
      return found === undefined ? null : cellOf(type, found, now)
    },
  }
}

/** A path that does not parse was refused with its CustomResourceDefinition; here its column just stays empty. */
function compile(path: string): JsonPath {
  try {
    return parseJsonPath(path)
  } catch (error) {
    if (error instanceof SyntaxError) return () => []
    throw error
  }
}

function cellOf(type: PrinterColumn['type'], value: Json, now: number): Json {
  if (value === null) return null
  if (type === 'string') return isJsonArray(value) || isJsonObject(value) ? JSON.stringify(value) : String(value)
  if (type === 'date') return typeof value === 'string' ? ageOf(value, now) : null
  if (type === 'boolean') return typeof value === 'boolean' ? value : null
  if (typeof value !== 'number') return null
  return type === 'integer' ? Math.trunc(value) : value
}
