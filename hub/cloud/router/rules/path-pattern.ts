/** A path with places for single segments: `lights/{id}/state`. */
export interface PathPattern {
  readonly segments: readonly Segment[]
}

type Segment = { readonly literal: string } | { readonly parameter: string }

export interface PathMatch {
  /** By name, decoded. */
  readonly parameters: Readonly<Record<string, string>>
  /** How many segments the pattern took; the others follow it. */
  readonly taken: number
}

const PARAMETER = /^\{([A-Za-z_][A-Za-z0-9_-]{0,62})\}$/
/** Each stands for something else somewhere on the way, or would have to be written in two ways. */
const REFUSED = /[{}\\%?#\s]/

/** The pattern, or why the text is none. Slashes at its ends count for nothing. */
export function parsePattern(text: string): PathPattern | string {
  const parts = text.replace(/^\/+|\/+$/g, '').split('/')
  if (parts.length === 1 && parts[0] === '') return 'must name at least one segment'
  const segments: Segment[] = []
  const names = new Set<string>()
  for (const part of parts) {
    const [, parameter] = PARAMETER.exec(part) ?? []
    if (parameter !== undefined) {
      if (names.has(parameter)) return `names the parameter {${parameter}} twice`
      names.add(parameter)
      segments.push({ parameter })
    } else if (part === '' || part === '.' || part === '..') return 'must have no empty segment, . or ..'
    else if (REFUSED.test(part) || hasControl(part))
      return `segment ${JSON.stringify(part)} may hold no blank and none of { } \\ % ? #; a parameter is a whole segment, {name}`
    else segments.push({ literal: part })
  }
  return { segments }
}

export function hasControl(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  return /[\u0000-\u001f\u007f]/.test(text)
}

/** What the pattern makes of the beginning of a path, whose segments are decoded. */
export function matchPattern({ segments }: PathPattern, path: readonly string[]): PathMatch | undefined {
  if (path.length < segments.length) return undefined
  const parameters: Record<string, string> = {}
  for (const [at, segment] of segments.entries()) {
    const given = path[at] ?? ''
    if ('parameter' in segment) {
      if (given === '') return undefined
      parameters[segment.parameter] = given
    } else if (segment.literal !== given) return undefined
  }
  return { parameters, taken: segments.length }
}

/** Below 0 where the first is the more specific: at the first difference the literal one, else the longer one. */
export function comparePatterns(one: PathPattern, other: PathPattern): number {
  for (const [at, segment] of one.segments.entries()) {
    const its = other.segments[at]
    if (!its) return -1
    if ('literal' in segment !== 'literal' in its) return 'literal' in segment ? -1 : 1
  }
  return other.segments.length - one.segments.length
}

/** The same for each path: the names of parameters do not count. */
export function patternKey({ segments }: PathPattern): string {
  return segments.map((segment) => ('literal' in segment ? segment.literal : '{}')).join('/')
}

export function parameterNames({ segments }: PathPattern): readonly string[] {
  return segments.flatMap((segment) => ('parameter' in segment ? [segment.parameter] : []))
}

const PLACE = /\{([A-Za-z_][A-Za-z0-9_-]{0,62})\}/g

/** Names of the places `{name}` in a target. */
export function placesIn(target: string): readonly string[] {
  return [...target.matchAll(PLACE)].map(([, name = '']) => name)
}

export function fillPlaces(target: string, value: (name: string) => string): string {
  return target.replace(PLACE, (_place, name: string) => value(name))
}
