import type { Clock, Random } from '../../../platform/time/index.ts'
import type { ApiObject, ResourceDefinition } from '../../kube/resource.ts'
import type { ChangeLog } from '../../kube/watch/index.ts'
import type { ObjectsView } from '../objects/ordered-objects.ts'
import type { CutOff } from './cut-off.ts'

/** All objects that are served, with one order of versions. They are never mutated. */
export interface ReadableObjects {
  /** The version that lists carry now; never 0. */
  readonly version: number
  get(resource: string, key: string): ApiObject | undefined
  /** The objects of a resource as they are now, or were at a version; undefined when that is forgotten, or was never reached. */
  view(resource: string, version?: number): ObjectsView | undefined
  /**
   * Keys of the objects that hold a text in a field, without a look at the others; with a version also of some that were others
   * then. Undefined for a field by which nothing is found.
   */
  keysWith(resource: string, field: string, value: string, version?: number): readonly string[] | undefined
  /** What changed of a resource, for watches. */
  log(resource: string): ChangeLog
}

/** Shows objects in other versions of their kind. */
export interface Converter {
  /** The same objects, in order, as that version of their kind. Throws a Status. */
  convert(
    objects: readonly ApiObject[],
    definition: ResourceDefinition,
    signal: AbortSignal,
  ): Promise<readonly ApiObject[]>
}

/** What lists and watches need. */
export interface ReadContext {
  readonly store: ReadableObjects
  readonly converter: Converter
  readonly clock: Clock
  readonly random: Random
  readonly cutOff?: CutOff
}
