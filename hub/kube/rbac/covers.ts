import { type PolicyRule, urlCovers } from './policy-rule.ts'

/** The lists of a rule multiply; beyond so many things a rule has to be held as a whole. */
const MOST_SINGLES = 20_000

/** Each thing that the rules give and the held ones do not: with one verb, one resource or path, and one name at most. */
export function uncovered(held: readonly PolicyRule[], given: readonly PolicyRule[]): readonly PolicyRule[] {
  let left = MOST_SINGLES
  return given.flatMap((rule) => {
    if (isCovered(held, rule)) return []
    left -= countOf(rule)
    return left < 0 ? [rule] : singles(rule).filter((single) => !isCovered(held, single))
  })
}

/** The rules as Kubernetes lists them, those of one resource together, in order. */
export function rulesText(rules: readonly PolicyRule[]): string {
  return [...new Set(compact(rules).map(ruleText))].sort().join('\n')
}

function isCovered(held: readonly PolicyRule[], given: PolicyRule): boolean {
  return held.some((rule) => covers(rule, given))
}

function countOf({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }: PolicyRule): number {
  const places = apiGroups.length * resources.length * Math.max(1, resourceNames.length) + nonResourceURLs.length
  return verbs.length * places
}

function singles(rule: PolicyRule): readonly PolicyRule[] {
  const names: readonly (readonly string[])[] =
    rule.resourceNames.length === 0 ? [[]] : rule.resourceNames.map((name) => [name])
  const ofResources = rule.apiGroups.flatMap((group) =>
    rule.resources.flatMap((resource) =>
      rule.verbs.flatMap((verb) =>
        names.map((resourceNames) => ({
          ...NOTHING,
          apiGroups: [group],
          resources: [resource],
          verbs: [verb],
          resourceNames,
        })),
      ),
    ),
  )
  const ofPaths = rule.nonResourceURLs.flatMap((url) =>
    rule.verbs.map((verb) => ({ ...NOTHING, nonResourceURLs: [url], verbs: [verb] })),
  )
  return [...ofResources, ...ofPaths]
}

const NOTHING: PolicyRule = { verbs: [], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: [] }

/** All that the rule gives, whether or not it is a single thing. */
function covers(held: PolicyRule, given: PolicyRule): boolean {
  return (
    hasAll(held.verbs, given.verbs) &&
    hasAll(held.apiGroups, given.apiGroups) &&
    given.resources.every((resource) => coversResource(held.resources, resource)) &&
    (held.resourceNames.length === 0 ||
      (given.resourceNames.length > 0 && given.resourceNames.every((name) => held.resourceNames.includes(name)))) &&
    given.nonResourceURLs.every((url) => held.nonResourceURLs.some((own) => urlCovers(own, url)))
  )
}

function hasAll(held: readonly string[], given: readonly string[]): boolean {
  return held.includes('*') || given.every((each) => held.includes(each))
}

function coversResource(held: readonly string[], resource: string): boolean {
  if (held.includes('*') || held.includes(resource)) return true
  const slash = resource.indexOf('/')
  return slash >= 0 && held.includes(`*${resource.slice(slash)}`)
}

function compact(rules: readonly PolicyRule[]): readonly PolicyRule[] {
  const found = new Map<string, PolicyRule>()
  for (const rule of rules) {
    const key = JSON.stringify([rule.apiGroups, rule.resources, rule.resourceNames, rule.nonResourceURLs])
    const known = rule.nonResourceURLs.length > 0 ? undefined : found.get(key)
    const own = rule.nonResourceURLs.length > 0 ? `${key} ${rule.verbs.join()}` : key
    found.set(own, known ? { ...known, verbs: [...known.verbs, ...rule.verbs] } : rule)
  }
  return [...found.values()]
}

function ruleText({ apiGroups, resources, nonResourceURLs, resourceNames, verbs }: PolicyRule): string {
  const lists = {
    APIGroups: apiGroups,
    Resources: resources,
    NonResourceURLs: nonResourceURLs,
    ResourceNames: resourceNames,
    Verbs: verbs,
  }
  const parts = Object.entries(lists).filter(([, list]) => list.length > 0)
  return `{${parts.map(([name, list]) => `${name}:${listText(list)}`).join(', ')}}`
}

/** As Go's %q writes a list of texts. */
export function listText(list: readonly string[]): string {
  return `[${list.map((each) => JSON.stringify(each)).join(' ')}]`
}
