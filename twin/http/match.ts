/** What stands in a path for the names in braces of a template; undefined where it does not match. Names are never empty. */
export function matchPath(template: string, path: string): Readonly<Record<string, string>> | undefined {
  const wanted = template.split('/')
  const given = path.split('/')
  if (wanted.length !== given.length) return undefined
  const found: [string, string][] = []
  for (const [at, segment] of wanted.entries()) {
    const text = given[at] ?? ''
    const name = /^\{(.+)\}$/.exec(segment)?.[1]
    if (name === undefined) {
      if (segment !== text) return undefined
      continue
    }
    const decoded = decode(text)
    if (decoded === undefined || decoded === '') return undefined
    found.push([name, decoded])
  }
  return Object.fromEntries(found)
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    // A % without its digits leads nowhere.
    return undefined
  }
}
