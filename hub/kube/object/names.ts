const SUFFIX_LETTERS = 'bcdfghjklmnpqrstvwxz2456789'
const SUFFIX_LENGTH = 5
const LONGEST_GENERATED = 63

/** A name from metadata.generateName and five random bytes. The alphabet has no vowels, so that it spells no words. */
export function generateName(prefix: string, bytes: Uint8Array): string {
  const suffix = [...bytes.subarray(0, SUFFIX_LENGTH)].map((byte) => SUFFIX_LETTERS[byte % SUFFIX_LETTERS.length])
  return prefix.slice(0, LONGEST_GENERATED - SUFFIX_LENGTH) + suffix.join('')
}
