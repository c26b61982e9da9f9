/** A key that no schema knows, and the one that was likely meant. */
export interface Slip {
  readonly key: string
  readonly meant: string
}

/** The longest word that is compared; longer ones are no slips of the pen. */
const LONGEST = 40

/**
 * Keys that are ignored although they look like another one that is not there, as `prot` for `port`. Other unknown keys are left
 * alone: manifests for another mapper of the protocol carry them.
 */
export function slipsIn(given: unknown, jsonSchema: unknown): readonly Slip[] {
  const properties = isRecord(jsonSchema) ? jsonSchema['properties'] : undefined
  if (!isRecord(given) || !isRecord(properties)) return []
  const known = new Map(
    Object.entries(properties).flatMap(([name, part]) =>
      [name, ...aliasesOf(part)].map((spelling) => [spelling.toLowerCase(), name] as const),
    ),
  )
  const present = new Set(Object.keys(given).map((key) => known.get(key.toLowerCase())))
  return Object.keys(given).flatMap((key) => {
    if (key.length > LONGEST || known.has(key.toLowerCase())) return []
    const found = [...known].find(([spelling, name]) => !present.has(name) && isNear(key.toLowerCase(), spelling))
    return found ? [{ key, meant: found[1] }] : []
  })
}

/** One letter too many, too few or another one, or two that changed places; in longer words twice. */
function isNear(left: string, right: string): boolean {
  const most = Math.min(left.length, right.length) < 6 ? 1 : 2
  return Math.min(left.length, right.length) > 2 && distance(left, right) <= most
}

/** Optimal string alignment. */
function distance(left: string, right: string): number {
  let older: number[] = []
  let before = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let i = 1; i <= left.length; i++) {
    const row = [i]
    for (let j = 1; j <= right.length; j++) {
      const replaced = (before[j - 1] ?? 0) + Number(left[i - 1] !== right[j - 1])
      const least = Math.min(replaced, (before[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1)
      const isSwap = i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]
      row.push(isSwap ? Math.min(least, (older[j - 2] ?? 0) + 1) : least)
    }
    older = before
    before = row
  }
  return before[right.length] ?? 0
}

function aliasesOf(part: unknown): readonly string[] {
  const aliases = isRecord(part) ? part['x-aliases'] : undefined
  return Array.isArray(aliases) ? aliases.filter((alias) => typeof alias === 'string') : []
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
