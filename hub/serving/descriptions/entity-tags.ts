/** Whether a client that sent If-None-Match has what bears this tag (RFC 9110, 13.1.2: compared weakly). */
export function isKnown(tag: string, knownTags: string | undefined): boolean {
  if (knownTags === undefined) return false
  const known = knownTags.split(',').map((each) => each.trim().replace(/^W\//, ''))
  return known.includes(tag) || known.includes('*')
}
