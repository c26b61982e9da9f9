import { nearest } from './nearest.ts'

export interface SchemaError {
  readonly keyword: string
  readonly instancePath: string
  readonly params: object
  readonly message: string
}

/** What to say about the first thing that is wrong: an unknown key before all else, because it explains what is missing. */
export function explain(
  schema: object,
  value: unknown,
  all: readonly SchemaError[],
): { path: string[]; message: string } {
  const unknown = all.find(({ keyword }) => keyword === 'additionalProperties')
  if (unknown) return explainUnknown(schema, unknown)
  const errors = ofMeantForms(value, all)
  const error = errors.find(({ keyword }) => keyword !== 'boolean') ?? errors[0]
  if (!error) return { path: [], message: 'is not valid' }
  const path = split(error.instancePath)
  const missing = strings(error.params, 'requiredProperties')[0]
  if (missing !== undefined) return { path: [...path, missing], message: `${dotted([...path, missing])} is missing` }
  const choices = choicesOf(errors, error.instancePath)
  const rule = choices.length > 0 ? `must be one of ${choices.join(', ')}` : error.message
  return { path, message: `${dotted(path)} ${rule} (got ${shown(valueAt(value, path))})` }
}

/** Where a text or a section is allowed and a section is given, it is the section that has to be put right. */
function ofMeantForms(value: unknown, errors: readonly SchemaError[]): readonly SchemaError[] {
  const forms = errors.filter(({ keyword }) => keyword === 'anyOf').map(({ instancePath }) => instancePath)
  const isSection = (path: string) => typeof valueAt(value, split(path)) === 'object'
  const meant = errors.filter(({ instancePath, keyword, params }) => {
    if (!forms.includes(instancePath) || !isSection(instancePath)) return true
    return keyword === 'anyOf' ? false : !(keyword === 'type' && property(params, 'type') !== 'object')
  })
  return meant.length > 0 ? meant : errors
}

function explainUnknown(schema: object, error: SchemaError): { path: string[]; message: string } {
  const parent = split(error.instancePath)
  const [key = ''] = strings(error.params, 'additionalProperties')
  const known = Object.keys(propertiesAt(schema, parent))
  const guess = nearest(key, known)
  const hint = guess === undefined ? `known here: ${known.join(', ')}` : `did you mean ${guess}?`
  return { path: [...parent, key], message: `${dotted([...parent, key])} is not a known key; ${hint}` }
}

function choicesOf(errors: readonly SchemaError[], path: string): string[] {
  return errors
    .filter(({ keyword, instancePath }) => keyword === 'const' && instancePath === path)
    .map(({ params }) => ('allowedValue' in params ? String(params.allowedValue) : ''))
}

function propertiesAt(schema: object, path: readonly string[]): object {
  let at: unknown = schema
  for (const key of path) at = sectionOf(property(property(at, 'properties'), key) ?? property(at, 'items'))
  const found = property(at, 'properties')
  return typeof found === 'object' && found !== null ? found : {}
}

/** Of a schema with several forms the one that has keys. */
function sectionOf(schema: unknown): unknown {
  const forms = property(schema, 'anyOf')
  return Array.isArray(forms) ? forms.find((form) => property(form, 'properties') !== undefined) : schema
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, key) => property(at, key), value)
}

function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
}

function strings(params: object, key: string): string[] {
  const list = property(params, key)
  return Array.isArray(list) ? list.map(String) : []
}

function split(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function dotted(path: readonly string[]): string {
  return path.length === 0 ? 'the whole' : path.join('.')
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
