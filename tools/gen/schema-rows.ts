/** Rows of a reference table for a JSON Schema of an object: key, type, default, meaning. Nested keys stand with their path. */
export function schemaRows(schema: unknown, prefix = ''): readonly string[] {
  const required = record(schema)['required']
  const isRequired = (name: string) => Array.isArray(required) && required.includes(name)
  return Object.entries(record(record(schema)['properties'])).flatMap(([name, child]) => {
    const key = `${prefix}${name}`
    const own = `| \`${key}\` | ${typeText(child)} | ${defaultText(child, isRequired(name))} | ${meaning(child)} |`
    const nested = record(child)['type'] === 'array' ? record(child)['items'] : child
    return [own, ...schemaRows(nested, nested === child ? `${key}.` : `${key}[].`)]
  })
}

/** What may stand there, in words. */
export function typeText(schema: unknown): string {
  const { type, anyOf, items, const: only, minimum, maximum, patternProperties, additionalProperties } = record(schema)
  if (only !== undefined) return code(only)
  if (Array.isArray(anyOf)) {
    const parts = anyOf.map(typeText)
    return anyOf.every((each) => record(each)['const'] !== undefined) ? parts.join(', ') : parts.join(' or ')
  }
  if (type === 'array') return `list of ${record(items)['type'] === 'object' ? 'objects' : typeText(items)}`
  if (type === 'object') {
    const values = Object.values(record(patternProperties))[0] ?? additionalProperties
    return record(values)['type'] === undefined ? 'object' : `object of ${typeText(values)}s`
  }
  if (type !== 'integer' && type !== 'number') return String(type)
  if (minimum !== undefined && maximum !== undefined) return `${type}, ${String(minimum)} to ${String(maximum)}`
  return minimum === undefined ? type : `${type}, ${String(minimum)} or more`
}

function defaultText(schema: unknown, isRequired: boolean): string {
  const fallback = record(schema)['default']
  if (fallback !== undefined) return code(fallback)
  return isRequired ? 'required' : ''
}

function meaning(schema: unknown): string {
  const { description, 'x-aliases': aliases, 'x-values': values } = record(schema)
  const spelled = Object.entries(record(values)).filter(([word, value]) => word !== String(value).toLowerCase())
  return [
    ...(typeof description === 'string' ? [description] : []),
    ...(Array.isArray(aliases) ? [`Also ${aliases.map((alias) => `\`${alias}\``).join(', ')}.`] : []),
    ...(spelled.length > 0
      ? [`${spelled.map(([word, value]) => `\`${word}\` means ${code(value)}`).join(', ')}.`]
      : []),
  ]
    .join(' ')
    .replaceAll('|', '\\|')
}

function code(value: unknown): string {
  return `\`${typeof value === 'string' && value !== '' ? value : JSON.stringify(value)}\``.replaceAll('|', '\\|')
}

export function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
