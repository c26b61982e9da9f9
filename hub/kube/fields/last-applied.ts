import type { Json } from '../../../schemas/index.ts'
import { isApiObject, objectAt, textAt, withMetadata } from '../object/access.ts'
import type { ApiObject } from '../resource.ts'
import { canonicalText } from '../schema/json.ts'
import { compareObjects } from './compare.ts'
import { fieldSetOf } from './extract.ts'
import { difference, EMPTY, type FieldSet } from './field-set.ts'
import { bare, type Shown } from './versions.ts'

/** Where kubectl's client-side apply keeps what it applied last. */
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** Kubernetes' limit of all annotations of an object together. */
const MOST_ANNOTATIONS = 256 * 1024

/** What client-side apply set in the version of the object, and what still is as it set it. */
export function allowedByLastApplied({ schema, object }: Shown, apiVersion: string): FieldSet {
  const last = parsed(textAt(objectAt(object.metadata, 'annotations'), LAST_APPLIED))
  if (!isApiObject(last) || last.apiVersion !== apiVersion) return EMPTY
  const { added, modified, removed } = compareObjects(schema, bare(last), bare(object))
  return [modified, added, removed].reduce(difference, fieldSetOf(schema, last))
}

/** Brings the annotation, where the object has it, up to what kubectl applies on the server now. */
export function withLastApplied(object: ApiObject, config: ApiObject): ApiObject {
  const annotations = objectAt(object.metadata, 'annotations')
  if (textAt(annotations, LAST_APPLIED) === '') return object
  const { [LAST_APPLIED]: _old, ...others } = annotations
  const text = `${canonicalText(withoutAnnotation(config))}\n`
  const next = { ...others, [LAST_APPLIED]: text }
  const size = Object.entries(next).reduce((sum, [key, value]) => sum + key.length + String(value).length, 0)
  return withMetadata(object, { annotations: size > MOST_ANNOTATIONS ? others : next })
}

function withoutAnnotation(config: ApiObject): ApiObject {
  if (config.metadata['annotations'] === undefined) return config
  const { [LAST_APPLIED]: _old, ...annotations } = objectAt(config.metadata, 'annotations')
  return withMetadata(config, { annotations: Object.keys(annotations).length === 0 ? undefined : annotations })
}

function parsed(text: string): Json | undefined {
  try {
    const value: Json = JSON.parse(text)
    return value
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
