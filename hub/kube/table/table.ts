import type { JsonObject } from '../../../schemas/index.ts'
import type { ApiObject, ResourceDefinition } from '../resource.ts'
import { columnsOf } from './builtin-columns.ts'
import type { Column } from './columns.ts'

/** How much of each object goes along with its row (`includeObject`); kubectl asks for Metadata unless told. */
export type IncludeObject = 'None' | 'Metadata' | 'Object'

export interface TableOptions {
  /** Unix ms; ages are counted from here. */
  readonly now: number
  readonly include: IncludeObject
  /** `metadata` of the list (resourceVersion, continue); of a single object its resourceVersion. */
  readonly metadata?: JsonObject
  /** A watch sends the columns with its first event only. */
  readonly withoutColumns?: boolean
}

/** A Table (meta.k8s.io/v1), which is what kubectl prints. */
export function toTable(
  definition: ResourceDefinition,
  objects: readonly ApiObject[],
  options: TableOptions,
): JsonObject {
  const columns = columnsFor(definition)
  const { now, include, metadata = {}, withoutColumns = false } = options
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: withoutColumns ? [] : columns.map(describe),
    rows: objects.map((object) => ({
      cells: columns.map((column) => column.cell(object, now)),
      object: included(object, include),
    })),
  }
}

/** Columns are compiled once for each definition. */
const known = new WeakMap<ResourceDefinition, readonly Column[]>()

function columnsFor(definition: ResourceDefinition): readonly Column[] {
  const cached = known.get(definition)
  if (cached) return cached
  const columns = columnsOf(definition)
  known.set(definition, columns)
  return columns
}

function describe({ name, type, format, description, priority }: Column): JsonObject {
  return { name, type, format, description, priority }
}

function included(object: ApiObject, include: IncludeObject): JsonObject | null {
  if (include === 'None') return null
  if (include === 'Object') return object
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata }
}
