import type { JsonObject } from '../../../schemas/index.ts'
import { withFields } from '../object/access.ts'
import type { ApiObject, StructuralSchema } from '../resource.ts'
import { type FieldSet, setOf } from './field-set.ts'
import { fieldPath } from './path-element.ts'

/** An object as one version of its kind shows it. */
export interface Shown {
  readonly schema: StructuralSchema
  readonly object: ApiObject
}

/** The same object as another version shows it; undefined where there is no such version, or no way to it. */
export type Convert = (object: ApiObject, apiVersion: string) => Promise<Shown | undefined>

/** Nobody owns what makes an object that object, nor what only the server counts. */
export const NEVER_OWNED: FieldSet = setOf(
  fieldPath('apiVersion'),
  fieldPath('kind'),
  fieldPath('metadata'),
  ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName', 'generation', 'managedFields'].map(
    (name) => fieldPath('metadata', name),
  ),
  fieldPath('metadata', 'resourceVersion'),
)

/** Without the managers themselves, whose change is no change of the object. */
export function bare(object: ApiObject): JsonObject {
  return { ...object, metadata: withFields(object.metadata, { managedFields: undefined }) }
}
