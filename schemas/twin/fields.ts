export type Fields = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Field by name in any case; the spelling of KubeEdge wins, else the last one. */
export function fieldOf(fields: Fields, name: string): unknown {
  if (Object.hasOwn(fields, name)) return fields[name]
  let found: unknown
  for (const key of Object.keys(fields)) {
    if (key.length === name.length && key.toLowerCase() === name.toLowerCase()) found = fields[key]
  }
  return found
}
