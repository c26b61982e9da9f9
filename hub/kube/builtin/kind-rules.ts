import type { ApiObject } from '../resource.ts'
import type { FieldError } from '../schema/field-error.ts'

/** What Kubernetes does with the objects of one of its kinds that no schema can say. Each step is optional and pure. */
export interface KindRules {
  /** Fills in what the author left out; for a new object and for each change. */
  defaults?(object: ApiObject): ApiObject
  /** Resets what only the server says of a new object, after the defaults. Its name is known. */
  onCreate?(object: ApiObject): ApiObject
  /** Keeps of the stored object what a change of the main resource cannot write, after the defaults. */
  onUpdate?(object: ApiObject, old: ApiObject): ApiObject
  /** What a change of a subresource makes of the stored object; absent: `status` writes the status, as a whole. */
  readonly parts?: Readonly<Record<string, (object: ApiObject, old: ApiObject) => ApiObject>>
  /** What is wrong with it, beside what its schema says; `old` is the stored object of a change. */
  validate?(object: ApiObject, old: ApiObject | undefined): readonly FieldError[]
}
