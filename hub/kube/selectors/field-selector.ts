import type { Json } from '../../../schemas/index.ts'
import { isJsonObject } from '../object/access.ts'
import type { ApiObject } from '../resource.ts'
import { badRequest } from '../status.ts'

export interface FieldRequirement {
  /** `metadata.name`, `spec.nodeName`. */
  readonly path: string
  /** What is compared instead, the first that is not empty. */
  readonly asked?: readonly string[]
  readonly equals: boolean
  readonly value: string
}

export type FieldSelector = readonly FieldRequirement[]

/** Fields that objects of a kind are selected by. */
export interface Selectable {
  readonly fields: ReadonlySet<string>
  /** A kind of Kubernetes' own without any fields but those of the metadata: other fields are refused in other words. */
  readonly isPlain?: boolean
  /** Fields that stand for others. */
  readonly aliases?: Readonly<Record<string, readonly string[]>>
}

/** Parses `metadata.name=a,spec.nodeName!=b`; `\,`, `\=` and `\\` stand for themselves. Throws a BadRequest Status. */
export function parseFieldSelector(text: string, { fields, isPlain = false, aliases = {} }: Selectable): FieldSelector {
  if (text === '') return []
  return splitUnescaped(text).map((part) => {
    const match = /^([^=!\\]+)(==|=|!=)((?:[^\\=]|\\[\\,=])*)$/.exec(part)
    if (!match) throw badRequest(`invalid selector: '${text}'; can't understand '${part}'`)
    const path = (match[1] ?? '').trim()
    if (!fields.has(path)) {
      const names = [...fields].map((field) => JSON.stringify(field)).join(', ')
      const plain = `${JSON.stringify(path)} is not a known field selector: only ${names}`
      throw badRequest(isPlain ? plain : `field label not supported: ${path}`)
    }
    const asked = aliases[path]
    return {
      path,
      ...(asked ? { asked } : {}),
      equals: match[2] !== '!=',
      value: (match[3] ?? '').replaceAll(/\\([\\,=])/g, '$1'),
    }
  })
}

/** An absent field counts as empty text. */
export function matchesFields(selector: FieldSelector, object: ApiObject): boolean {
  return selector.every(({ path, asked = [path], equals, value }) => {
    const text = asked.map((each) => fieldText(object, each)).find((each) => each !== '') ?? ''
    return (text === value) === equals
  })
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
