import type { StructuralSchema } from '../resource.ts'

/**
 * The place that a rule names for its errors, `.spec.items` or `.labels['a.b']`, as error messages write it: `spec.items`,
 * `labels[a.b]`. Undefined where the schema has no such field.
 */
export function fieldPathOf(text: string, schema: StructuralSchema): string | undefined {
  let here: StructuralSchema | undefined = schema
  let path = ''
  let rest = text
  while (rest !== '') {
    const [whole, plain, quoted] = /^(?:\.([^.[\]']+)|\['((?:[^'\\]|\\.)*)'\])/.exec(rest) ?? []
    const name = plain ?? (quoted === undefined ? undefined : unescaped(quoted))
    if (whole === undefined || name === undefined || !here) return undefined
    const step = stepOf(here, name)
    if (!step) return undefined
    path = step.isKey ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`
    here = step.schema
    rest = rest.slice(whole.length)
  }
  return path === '' ? undefined : path
}

function stepOf(
  { properties, additionalProperties }: StructuralSchema,
  name: string,
): { readonly schema: StructuralSchema | undefined; readonly isKey: boolean } | undefined {
  if (properties) return Object.hasOwn(properties, name) ? { schema: properties[name], isKey: false } : undefined
  return typeof additionalProperties === 'object' ? { schema: additionalProperties, isKey: true } : undefined
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  "'": "'",
  '\\': '\\',
}

function unescaped(text: string): string | undefined {
  if ([...text.matchAll(/\\(.)/g)].some(([, sign = '']) => ESCAPES[sign] === undefined)) return undefined
  return text.replaceAll(/\\(.)/g, (_, sign) => ESCAPES[String(sign)] ?? '')
}
