import type { Json } from '../../../schemas/index.ts'
import { isJsonObject } from '../object/access.ts'
import type { ApiObject } from '../resource.ts'
import { badRequest } from '../status.ts'

export interface FieldRequirement {
  /** `metadata.name`, `spec.nodeName`. */
  readonly path: string
  readonly equals: boolean
  readonly value: string
}

export type FieldSelector = readonly FieldRequirement[]

/** Fields that objects of a kind are selected by. */
export interface Selectable {
  readonly fields: ReadonlySet<string>
  /** A kind of Kubernetes' own without any fields but those of the metadata: other fields are refused in other words. */
  readonly isPlain?: boolean
}

/** Parses `metadata.name=a,spec.nodeName!=b`; `\,`, `\=` and `\\` stand for themselves. Throws a BadRequest Status. */
export function parseFieldSelector(text: string, { fields, isPlain = false }: Selectable): FieldSelector {
  if (text === '') return []
  return splitUnescaped(text).map((part) => {
    const match = /^([^=!\\]+)(==|=|!=)((?:[^\\=]|\\[\\,=])*)$/.exec(part)
    if (!match) throw badRequest(`invalid field selector: "${part}"; can't understand it, expected field=value`)
    const path = (match[1] ?? '').trim()
    if (!fields.has(path)) {
      const names = [...fields].map((field) => JSON.stringify(field)).join(', ')
      const plain = `${JSON.stringify(path)} is not a known field selector: only ${names}`
      throw badRequest(isPlain ? plain : `field label not supported: ${path}`)
    }
    return { path, equals: match[2] !== '!=', value: (match[3] ?? '').replaceAll(/\\([\\,=])/g, '$1') }
  })
}

/** An absent field counts as empty text. */
export function matchesFields(selector: FieldSelector, object: ApiObject): boolean {
  return selector.every(({ path, equals, value }) => (fieldText(object, path) === value) === equals)
}

/** As text; empty where it is absent or no single value. */
export function fieldText(object: ApiObject, path: string): string {
  let at: Json | undefined = object
  for (const step of path.split('.')) at = isJsonObject(at) ? at[step] : undefined
  return at === undefined || at === null || typeof at === 'object' ? '' : String(at)
}

function splitUnescaped(text: string): readonly string[] {
  return text.match(/(?:[^\\,]|\\.)+/g) ?? []
}
