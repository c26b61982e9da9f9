/** GA before beta before alpha, higher numbers first, other names last in alphabetical order (CRD version priority). */
export function compareVersions(a: string, b: string): number {
  const left = parse(a)
  const right = parse(b)
  if (!left || !right) return left ? -1 : right ? 1 : a.localeCompare(b)
  return right.stability - left.stability || right.major - left.major || right.minor - left.minor
}

const STABILITIES = ['alpha', 'beta', '']

function parse(
  version: string,
): { readonly stability: number; readonly major: number; readonly minor: number } | undefined {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version)
  if (!match) return undefined
  const [, major = '0', stability = '', minor = '0'] = match
  return { stability: STABILITIES.indexOf(stability), major: Number(major), minor: Number(minor) }
}
