import type { Variant } from 'node-opcua-client'

/** One element of an array is itself to people, and an array of one to servers. */
export function isOneElement(indexRange: string | undefined): boolean {
  return indexRange !== undefined && /^\d+(,\d+)*$/.test(indexRange)
}

/** How many elements a range such as `3`, `0:4` or `0:1,2` takes in at most. */
export function elementsIn(indexRange: string): number {
  return indexRange.split(',').reduce((product, part) => product * spanOf(part), 1)
}

/** Why this is no range, or nothing. OPC UA part 4, 7.27: what ends has to end behind where it begins. */
export function rangeProblem(indexRange: string): string | undefined {
  const empty = indexRange.split(',').find((part) => part.includes(':') && spanOf(part) < 2)
  return empty === undefined ? undefined : `indexRange "${indexRange}" ends where it begins, or before: ${empty}`
}

/** Throws for more than what the range takes in: some servers ignore it, and answer with the whole. */
export function refuseWhole({ value }: Variant, indexRange: string): void {
  const content: unknown = value
  const length = typeof content === 'string' ? content.length : Number(Reflect.get(Object(content), 'length') ?? 0)
  const most = elementsIn(indexRange)
  if (length <= most) return
  throw new Error(
    `the server ignores indexRange: ${length} elements came for ${indexRange}; leave indexRange out, and take the whole as JSON text`,
  )
}

function spanOf(part: string): number {
  const [first = 0, last = first] = part.split(':').map(Number)
  return last - first + 1
}
