import type { Json, JsonObject } from '../../../schemas/index.ts'
import { arrayAt, isJsonObject, objectAt, sameJson, withContent, withMetadata } from '../object/access.ts'
import type { ApiObject } from '../resource.ts'
import { uncovered } from './covers.ts'
import { ruleJson, rulesOf } from './policy-rule.ts'

/** `"false"` keeps an object of the server's own as its administrator has made it. */
export const AUTO_UPDATE = 'rbac.authorization.kubernetes.io/autoupdate'

/** What a start makes of an object that is there: `remake` where its roleRef, which cannot be changed, is another one. */
export type Reconciled =
  | { readonly kind: 'same' }
  | { readonly kind: 'change'; readonly object: ApiObject }
  | { readonly kind: 'remake' }

/**
 * Gives an object of the server's own what it lacks of its rules, subjects, labels and annotations. What administrators have added
 * stays, unless it `isExact`.
 */
export function reconciled(expected: ApiObject, present: ApiObject, isExact = false): Reconciled {
  if (objectAt(present.metadata, 'annotations')[AUTO_UPDATE] === 'false') return { kind: 'same' }
  if (expected['roleRef'] !== undefined && !sameJson(expected['roleRef'], present['roleRef'])) return { kind: 'remake' }
  const metadata = {
    labels: { ...objectAt(present.metadata, 'labels'), ...objectAt(expected.metadata, 'labels') },
    annotations: { ...objectAt(present.metadata, 'annotations'), ...objectAt(expected.metadata, 'annotations') },
  }
  const content =
    expected['roleRef'] === undefined ? role(expected, present, isExact) : binding(expected, present, isExact)
  const object = withMetadata(withContent(present, content), metadata)
  return sameJson(
    object,
    withMetadata(present, { labels: objectAt(present.metadata, 'labels'), ...annotated(present) }),
  )
    ? { kind: 'same' }
    : { kind: 'change', object }
}

function annotated(present: ApiObject) {
  return { annotations: objectAt(present.metadata, 'annotations') }
}

function role(expected: ApiObject, present: ApiObject, isExact: boolean): Record<string, Json | undefined> {
  // The rules of an aggregated role are made from those of others.
  if (expected['aggregationRule'] !== undefined) return { aggregationRule: expected['aggregationRule'] }
  const wanted = rulesOf(expected)
  const held = rulesOf(present)
  const missing = uncovered(held, wanted)
  if (isExact) {
    const isRight = missing.length === 0 && uncovered(wanted, held).length === 0
    return { rules: isRight ? present['rules'] : expected['rules'] }
  }
  return missing.length === 0 ? {} : { rules: [...arrayAt(present, 'rules'), ...missing.map(ruleJson)] }
}

function binding(expected: ApiObject, present: ApiObject, isExact: boolean): Record<string, Json | undefined> {
  const wanted = arrayAt(expected, 'subjects').filter(isJsonObject)
  const held = arrayAt(present, 'subjects').filter(isJsonObject)
  if (isExact) return { subjects: wanted }
  const missing = wanted.filter((subject) => !held.some((own) => sameSubject(own, subject)))
  return missing.length === 0 ? {} : { subjects: [...held, ...missing] }
}

function sameSubject(a: JsonObject, b: JsonObject): boolean {
  return a['kind'] === b['kind'] && a['name'] === b['name'] && (a['namespace'] ?? '') === (b['namespace'] ?? '')
}
