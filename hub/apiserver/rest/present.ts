import { stringify } from 'yaml'
import type { Json, JsonObject } from '../../../schemas/index.ts'
import { isJsonObject } from '../../kube/object/index.ts'
import type { ApiObject, ResourceDefinition } from '../../kube/resource.ts'
import { badRequest } from '../../kube/status.ts'
import { toTable } from '../../kube/table/index.ts'
import { objectText } from '../storage/object-text.ts'
import type { Answer } from './answer.ts'
import type { Form } from './negotiate.ts'
import { apiVersionOf } from './registry.ts'

/** How a client wants to see objects of one kind. */
export interface View {
  readonly form: Form
  readonly definition: ResourceDefinition
  readonly include: 'None' | 'Metadata' | 'Object'
  /** Unix ms, for ages. */
  readonly now: number
}

export interface ListMetadata {
  readonly resourceVersion: string
  readonly continue?: string
  readonly remainingItemCount?: number
}

export function includeOf(query: URLSearchParams): View['include'] {
  const include = query.get('includeObject') ?? ''
  if (include === '') return 'Metadata'
  if (include === 'None' || include === 'Metadata' || include === 'Object') return include
  throw badRequest(`includeObject: Unsupported value: "${include}": supported values: "Metadata", "None", "Object"`)
}

export function presentObject(view: View, object: ApiObject, code = 200): Answer {
  return encode(view.form, code, shownText(view, object))
}

export function presentList(view: View, objects: readonly ApiObject[], metadata: ListMetadata): Answer {
  const { form, definition } = view
  const head: JsonObject = { ...metadata }
  if (form.as === 'table') return encode(form, 200, JSON.stringify(tableOf(view, objects, head)))
  const isPartial = form.as === 'metadata'
  const kind = isPartial ? 'PartialObjectMetadataList' : definition.listKind
  const apiVersion = isPartial ? form.apiVersion : apiVersionOf(definition)
  const items = objects.map((object) => shownText(view, object)).join(',')
  const text = `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},"metadata":${JSON.stringify(head)},"items":[${items}]}`
  return encode(form, 200, text)
}

/** JSON of one object as the client wants it. */
export function shownText(view: View, object: ApiObject): string {
  switch (view.form.as) {
    case 'object':
      return objectText(object)
    case 'metadata':
      return JSON.stringify({
        kind: 'PartialObjectMetadata',
        apiVersion: view.form.apiVersion,
        metadata: object.metadata,
      })
    case 'table': {
      const resourceVersion = object.metadata['resourceVersion']
      return JSON.stringify(tableOf(view, [object], isText(resourceVersion) ? { resourceVersion } : {}))
    }
  }
}

function tableOf({ form, definition, include, now }: View, objects: readonly ApiObject[], metadata: JsonObject) {
  return { ...toTable(definition, objects, { now, include, metadata }), apiVersion: form.apiVersion }
}

function encode(form: Form, code: number, text: string): Answer {
  if (form.encoding === 'json') return { code, type: 'application/json', text: `${text}\n` }
  const value: Json = JSON.parse(text)
  return { code, type: 'application/yaml', text: stringify(isJsonObject(value) ? value : {}) }
}

function isText(value: Json | undefined): value is string {
  return typeof value === 'string'
}
