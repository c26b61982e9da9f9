import type { Json, JsonObject } from '../../../schemas/index.ts'
import { arrayAt } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { toTable } from '../../kube/table/index.ts'
import { objectText } from '../objects/object-text.ts'
import { apiVersionOf } from '../objects/registry.ts'
import type { Answer } from './answer.ts'
import { shownObject, typeOf, type View } from './present.ts'
import { yamlText } from './yaml-text.ts'

export interface ListMetadata {
  /** Absent for what is no state of the store. */
  readonly resourceVersion?: string
  readonly continue?: string
  readonly remainingItemCount?: number
}

/** Characters of a part. Making one takes less than a millisecond, unless a single object is larger. */
const PART = 64 * 1024

/** A list as a client wants it. Its text is made while it is sent. */
export function presentList(view: View, objects: readonly ApiObject[], metadata: ListMetadata): Answer {
  const { form } = view
  const head = headOf(view, { ...metadata })
  const parts = (isIndented = false) => {
    if (form.encoding === 'yaml') return inParts(yamlOf(view, head, objects))
    return inParts(isIndented ? indentedOf(view, head, objects) : jsonOf(view, head, objects))
  }
  const isPlain = form.as === 'object' && form.encoding === 'json'
  return {
    code: 200,
    type: typeOf(form),
    ...(isPlain ? { object: { ...head, items: view.definition.custom ? objects : objects.map(untyped) } } : {}),
    parts,
    get text() {
      return [...parts()].join('')
    },
  }
}

function headOf({ form, definition, include, now }: View, metadata: JsonObject): JsonObject {
  if (form.as === 'table') {
    const { rows: _, ...head } = toTable(definition, [], { now, include, metadata })
    return { ...head, apiVersion: form.apiVersion }
  }
  const isPartial = form.as === 'metadata'
  const kind = isPartial ? 'PartialObjectMetadataList' : definition.listKind
  return { kind, apiVersion: isPartial ? form.apiVersion : apiVersionOf(definition), metadata }
}

function* jsonOf(view: View, head: JsonObject, objects: readonly ApiObject[]): Generator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},"${fieldOf(view)}":[`
  let before = ''
  for (const object of objects) {
    yield `${before}${itemText(view, object)}`
    before = ','
  }
  yield ']}\n'
}

function* indentedOf(view: View, head: JsonObject, objects: readonly ApiObject[]): Generator<string> {
  yield `${indented(head).slice(0, -2)},\n  "${fieldOf(view)}": [`
  let before = '\n'
  for (const object of objects) {
    // Text in JSON holds no end of a line.
    yield `${before}    ${indented(parsed(itemText(view, object))).replaceAll('\n', '\n    ')}`
    before = ',\n'
  }
  yield objects.length === 0 ? ']\n}' : '\n  ]\n}'
}

/** Its keys stand in the order of the alphabet. */
function* yamlOf(view: View, head: JsonObject, objects: readonly ApiObject[]): Generator<string> {
  const field = fieldOf(view)
  const part = (isWanted: (key: string) => boolean) => {
    const entries = Object.entries(head).filter(([key]) => isWanted(key))
    return entries.length === 0 ? '' : yamlText(Object.fromEntries(entries))
  }
  yield part((key) => key < field)
  yield `${field}:${objects.length === 0 ? ' []' : ''}\n`
  for (const object of objects) yield yamlText([parsed(itemText(view, object))])
  yield part((key) => key > field)
}

function indented(value: Json): string {
  return JSON.stringify(value, undefined, 2)
}

function parsed(text: string): Json {
  return JSON.parse(text)
}

function fieldOf({ form }: View): string {
  return form.as === 'table' ? 'rows' : 'items'
}

function itemText(view: View, object: ApiObject): string {
  const { form, definition, include, now } = view
  if (form.as === 'object') return definition.custom ? objectText(object) : untypedText(object)
  if (form.as === 'metadata') return JSON.stringify(shownObject(view, object).object)
  const [row] = arrayAt(toTable(definition, [object], { now, include, withoutColumns: true }), 'rows')
  return JSON.stringify(row)
}

/** Kubernetes' own kinds stand in their lists without kind and apiVersion, which the list says for all of them. */
function untypedText(object: ApiObject): string {
  const text = objectText(object)
  const [apiVersion, kind] = [JSON.stringify(object.apiVersion), JSON.stringify(object.kind)]
  for (const head of [`{"apiVersion":${apiVersion},"kind":${kind},`, `{"kind":${kind},"apiVersion":${apiVersion},`]) {
    if (text.startsWith(head)) return `{${text.slice(head.length)}`
  }
  return JSON.stringify(untyped(object))
}

function untyped({ apiVersion: _version, kind: _kind, ...others }: ApiObject): JsonObject {
  return others
}

function* inParts(texts: Iterable<string>): Generator<string> {
  let part = ''
  for (const text of texts) {
    part += text
    if (part.length < PART) continue
    yield part
    part = ''
  }
  if (part !== '') yield part
}
