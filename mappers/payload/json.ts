const MANY_DIGITS = /\d{16}/

/** As JSON.parse, but that integers beyond 2^53 are bigints. */
export function parseJson(text: string): unknown {
  if (!MANY_DIGITS.test(text)) return JSON.parse(text)
  const exact = (_key: string, value: unknown, context?: { readonly source?: string }) => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
    const source = context?.source ?? ''
    return /^-?\d{1,40}$/.test(source) ? BigInt(source) : value
  }
  return JSON.parse(text, exact)
}

/** The text of what `parseJson` gave. Throws for what is nested deeper than can be written: reading has no such bound. */
export function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value, (_key, each) => (typeof each === 'bigint' ? String(each) : each)) ?? ''
  } catch (cause) {
    throw new Error('the JSON there is nested too deeply', { cause })
  }
}
