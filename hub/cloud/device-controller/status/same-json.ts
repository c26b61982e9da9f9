/** Whether two JSON values mean the same: the order of keys does not count, and an undefined field is none. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
    return a.every((each: unknown, at) => sameJson(each, b[at]))
  }
  const left = Object.keys(a).filter((key) => Reflect.get(a, key) !== undefined)
  const right = Object.keys(b).filter((key) => Reflect.get(b, key) !== undefined)
  return left.length === right.length && left.every((key) => Object.hasOwn(b, key) && sameAt(a, b, key))
}

function sameAt(a: object, b: object, key: string): boolean {
  return sameJson(Reflect.get(a, key), Reflect.get(b, key))
}
