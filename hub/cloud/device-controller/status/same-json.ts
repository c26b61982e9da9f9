/** The same of two objects without these fields. */
export function sameJsonBut(fields: ReadonlySet<string>, a: object, b: object): boolean {
  for (const key of Object.keys(a)) {
    if (!fields.has(key) && !sameJson(Reflect.get(a, key), Reflect.get(b, key))) return false
  }
  return Object.keys(b).every((key) => fields.has(key) || Reflect.get(b, key) === undefined || Object.hasOwn(a, key))
}

/** Whether two JSON values mean the same: the order of keys does not count, and an undefined field is none. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
    return a.every((each: unknown, at) => sameJson(each, b[at]))
  }
  let fields = 0
  for (const key of Object.keys(a)) {
    const value: unknown = Reflect.get(a, key)
    if (value === undefined) continue
    fields++
    if (!Object.hasOwn(b, key) || !sameJson(value, Reflect.get(b, key))) return false
  }
  for (const key of Object.keys(b)) if (Reflect.get(b, key) !== undefined) fields--
  return fields === 0
}
