import type { Json, JsonObject } from '../../../schemas/index.ts'
import { arrayAt, isJsonObject, objectAt, textAt } from '../object/access.ts'
import type { ApiObject } from '../resource.ts'

export type Verdict = 'Approved' | 'Denied' | 'Failed'

export function conditionsOf(request: ApiObject): readonly JsonObject[] {
  return arrayAt(objectAt(request, 'status'), 'conditions').filter(isJsonObject)
}

export function hasVerdict(request: ApiObject, verdict: Verdict): boolean {
  return conditionsOf(request).some((each) => each['type'] === verdict)
}

/** PEM of the issued certificate in base64; empty as long as there is none. */
export function certificateIn(request: ApiObject): string {
  return textAt(objectAt(request, 'status'), 'certificate')
}

/** Conditions with the times that their author left out. */
export function stamped(conditions: readonly JsonObject[], now: string): readonly JsonObject[] {
  return conditions.map((each) => ({
    ...each,
    lastUpdateTime: filled(each['lastUpdateTime'], now),
    lastTransitionTime: filled(each['lastTransitionTime'], now),
  }))
}

function filled(given: Json | undefined, now: string): Json {
  return typeof given === 'string' && given !== '' ? given : now
}
