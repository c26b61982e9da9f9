import type { Json, JsonObject } from '../../../../schemas/index.ts'
import { arrayAt, isJsonObject, objectAt, textAt } from '../../../kube/object/index.ts'
import { ageOf } from '../../../kube/table/index.ts'
import { negotiate } from '../../../serving/answers/negotiate.ts'
import type { View } from '../../../serving/answers/present.ts'
import type { ResourcePath } from '../../../serving/requests/paths.ts'
import type { NodeRequest } from './node-request.ts'

/** Of a kind that nothing here declares the API alone knows the columns. */
export function wantsTable({ definition, path, accept }: NodeRequest): boolean {
  if (definition || path.subresource !== '') return false
  const { as, encoding } = negotiate(accept)
  return as === 'table' && encoding === 'json'
}

/** A Table of the API with the whole objects in it. */
export function isTable(object: JsonObject): boolean {
  const isOfKind = textAt(object, 'kind') === 'Table' && textAt(object, 'apiVersion').startsWith('meta.k8s.io/')
  return isOfKind && Array.isArray(object['rows']) && Array.isArray(object['columnDefinitions'])
}

/** With as much of each object as the client wants, and with the age that it has by now. */
export function shownTable(table: JsonObject, include: View['include'], now: number): JsonObject {
  const age = arrayAt(table, 'columnDefinitions').findIndex(isAge)
  const rows = rowsOf(table).map((row) => {
    const object = objectAt(row, 'object')
    const created = objectAt(object, 'metadata')['creationTimestamp']
    const cells = arrayAt(row, 'cells').map((cell, at) => (at === age ? ageOf(created, now) : cell))
    return { ...row, cells, object: included(object, include) }
  })
  return { ...table, rows }
}

/** The objects alone: the one that was asked for by its name, or a list. */
export function plainOf(table: JsonObject, { group, version, name }: ResourcePath): JsonObject {
  const items = rowsOf(table).map((row) => objectAt(row, 'object'))
  const [first = {}] = items
  if (name !== '') return first
  const apiVersion = group === '' ? version : `${group}/${version}`
  return { apiVersion, kind: `${textAt(first, 'kind')}List`, metadata: objectAt(table, 'metadata'), items }
}

/** Some of its rows. */
export function partOf(table: JsonObject, isWanted: (object: JsonObject) => boolean): JsonObject {
  return { ...table, rows: rowsOf(table).filter((row) => isWanted(objectAt(row, 'object'))) }
}

function rowsOf(table: JsonObject): readonly JsonObject[] {
  return arrayAt(table, 'rows').filter(isJsonObject)
}

/** As the columns of a custom kind name it where they do not say otherwise. */
function isAge(column: Json): boolean {
  return isJsonObject(column) && column['name'] === 'Age'
}

function included(object: JsonObject, include: View['include']): JsonObject | null {
  if (include === 'None') return null
  if (include === 'Object') return object
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: objectAt(object, 'metadata') }
}
