/** RFC 1123: what namespaces and uids look like. For what peers say, before it becomes a part of a name. */
export function isLabel(text: string): boolean {
  return /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text)
}

/** The same with dots: what most objects are named. */
export function isSubdomain(text: string): boolean {
  return /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(text)
}
