import type { Json, JsonObject } from '../../../schemas/index.ts'
import type { ApiObject, ResourceDefinition } from '../../kube/resource.ts'
import { badRequest } from '../../kube/status.ts'
import { toTable } from '../../kube/table/index.ts'
import { objectText } from '../objects/object-text.ts'
import type { Answer } from './answer.ts'
import type { Form } from './negotiate.ts'
import { yamlText } from './yaml-text.ts'

/** How a client wants to see objects of one kind. */
export interface View {
  readonly form: Form
  readonly definition: ResourceDefinition
  readonly include: 'None' | 'Metadata' | 'Object'
  /** Unix ms, for ages. */
  readonly now: number
}

const JSON_TYPE = 'application/json'

export function includeOf(query: URLSearchParams): View['include'] {
  const include = query.get('includeObject') ?? ''
  if (include === '') return 'Metadata'
  if (include === 'None' || include === 'Metadata' || include === 'Object') return include
  throw badRequest(`includeObject: Unsupported value: "${include}": supported values: "Metadata", "None", "Object"`)
}

export function presentObject(view: View, object: ApiObject, code = 200): Answer {
  const { form } = view
  const shown = shownObject(view, object)
  if (form.encoding !== 'json') return encode(form, code, shown.text)
  return {
    code,
    type: JSON_TYPE,
    object: shown.object,
    get text() {
      return `${shown.text}\n`
    },
  }
}

/** One object as the client wants it, and its JSON. */
export function shownObject(view: View, object: ApiObject): { readonly object: JsonObject; readonly text: string } {
  const shown = inForm(view, object)
  return {
    object: shown,
    get text() {
      return objectText(shown)
    },
  }
}

function inForm(view: View, object: ApiObject): JsonObject {
  switch (view.form.as) {
    case 'object':
      return object
    case 'metadata':
      return { kind: 'PartialObjectMetadata', apiVersion: view.form.apiVersion, metadata: object.metadata }
    case 'table': {
      const resourceVersion = object.metadata['resourceVersion']
      return tableOf(view, [object], isText(resourceVersion) ? { resourceVersion } : {})
    }
  }
}

function tableOf(
  { form, definition, include, now }: View,
  objects: readonly ApiObject[],
  metadata: JsonObject,
): JsonObject {
  return { ...toTable(definition, objects, { now, include, metadata }), apiVersion: form.apiVersion }
}

function encode(form: Form, code: number, text: string): Answer {
  if (form.encoding === 'json') return { code, type: JSON_TYPE, text: `${text}\n` }
  const value: Json = JSON.parse(text)
  return { code, type: typeOf(form), text: yamlText(value) }
}

export function typeOf({ encoding }: Form): string {
  return encoding === 'json' ? JSON_TYPE : 'application/yaml'
}

function isText(value: Json | undefined): value is string {
  return typeof value === 'string'
}
