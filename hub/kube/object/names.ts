/** RFC 1123 label: lower case letters, digits and '-', at most 63. */
export function isDnsLabel(text: string): boolean {
  return text.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text)
}

/** RFC 1123 subdomain: labels joined by dots, at most 253. */
export function isDnsSubdomain(text: string): boolean {
  return text.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text)
}

/** What stands in a URL path without trouble: the rule for kinds with free names. */
export function isPathSegment(text: string): boolean {
  return text !== '' && text !== '.' && text !== '..' && !/[/%]/.test(text)
}

/** A key of a label or annotation: an optional DNS subdomain, then a name of at most 63. */
export function isQualifiedName(text: string): boolean {
  const [name = '', prefix, ...rest] = text.split('/').reverse()
  if (rest.length > 0 || (prefix !== undefined && !isDnsSubdomain(prefix))) return false
  return name.length <= 63 && /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/.test(name)
}

export function isLabelValue(text: string): boolean {
  return text.length <= 63 && /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/.test(text)
}

const SUFFIX_LETTERS = 'bcdfghjklmnpqrstvwxz2456789'
const SUFFIX_LENGTH = 5
const LONGEST_GENERATED = 63

/** A name from metadata.generateName. The alphabet has no vowels, so that it spells no words. */
export function generateName(prefix: string, bytes: Uint8Array): string {
  const suffix = [...bytes.subarray(0, SUFFIX_LENGTH)].map((byte) => SUFFIX_LETTERS[byte % SUFFIX_LETTERS.length])
  return prefix.slice(0, LONGEST_GENERATED - SUFFIX_LENGTH) + suffix.join('')
}
