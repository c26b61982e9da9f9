import { type PolicyRule, urlCovers } from './policy-rule.ts'

/** Each thing that the rules give and the held ones do not: with one verb, one resource or path, and one name at most. */
export function uncovered(held: readonly PolicyRule[], given: readonly PolicyRule[]): readonly PolicyRule[] {
  return given.flatMap(singles).filter((single) => !held.some((rule) => covers(rule, single)))
}

/** The rules as Kubernetes lists them, those of one resource together, in order. */
export function rulesText(rules: readonly PolicyRule[]): string {
  return [...new Set(compact(rules).map(ruleText))].sort().join('\n')
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

function covers(held: PolicyRule, single: PolicyRule): boolean {
  return (
    hasAll(held.verbs, single.verbs) &&
    hasAll(held.apiGroups, single.apiGroups) &&
    single.resources.every((resource) => coversResource(held.resources, resource)) &&
    (held.resourceNames.length === 0 ||
      (single.resourceNames.length > 0 && single.resourceNames.every((name) => held.resourceNames.includes(name)))) &&
    single.nonResourceURLs.every((url) => held.nonResourceURLs.some((own) => urlCovers(own, url)))
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
