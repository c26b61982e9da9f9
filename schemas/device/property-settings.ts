/** What an annotation says of each property: text by property name; `*` stands for all that are not named. */
export type PropertySettings = ReadonlyMap<string, string>

export type ParsedSettings =
  | { readonly ok: true; readonly settings: PropertySettings }
  /** Completes "the annotation ...", and says what to write instead. */
  | { readonly ok: false; readonly reason: string }

/** Key of the setting for every property without one of its own. */
export const ALL_PROPERTIES = '*'

const HINT = 'write pairs as in "speed=A, *=B", or one word for all properties'
const LONGEST = 65_536

/**
 * Text of an annotation with a setting for each property: `speed=A, *=B`, or a single `A` for all. Blanks around names and
 * texts do not count. A name that holds `,` or `=` cannot be written here; `*` reaches it. What a text means is not judged.
 */
export function parsePropertySettings(text: string): ParsedSettings {
  if (text.length > LONGEST) return { ok: false, reason: `is longer than ${LONGEST} characters` }
  const parts = text.split(',').map((part) => part.trim())
  const [only = ''] = parts
  if (parts.length === 1 && only !== '' && !only.includes('=')) {
    return { ok: true, settings: new Map([[ALL_PROPERTIES, only]]) }
  }
  const settings = new Map<string, string>()
  for (const part of parts) {
    const at = part.indexOf('=')
    const name = part.slice(0, Math.max(at, 0)).trim()
    const setting = part.slice(at + 1).trim()
    if (name === '' || setting === '') return { ok: false, reason: `has ${JSON.stringify(part)} in it: ${HINT}` }
    if (settings.has(name)) return { ok: false, reason: `names ${name} twice` }
    settings.set(name, setting)
  }
  return { ok: true, settings }
}

/** The setting of one property: the device's own, the device's for all, then the same of its model. */
export function settingFor(
  property: string,
  device: PropertySettings | undefined,
  model: PropertySettings | undefined,
): string | undefined {
  return device?.get(property) ?? device?.get(ALL_PROPERTIES) ?? model?.get(property) ?? model?.get(ALL_PROPERTIES)
}
