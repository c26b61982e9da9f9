import type { Json, JsonObject } from '../../../schemas/index.ts'
import type { ApiObject } from '../resource.ts'
import { arrayAt, isJsonObject, objectAt, textAt, withContent } from './access.ts'

export function conditionOf(object: ApiObject, type: string): JsonObject | undefined {
  return arrayAt(objectAt(object, 'status'), 'conditions')
    .filter(isJsonObject)
    .find((each) => textAt(each, 'type') === type)
}

/** Empty for a condition that the object does not have. */
export function conditionStatus(object: ApiObject, type: string): string {
  return textAt(conditionOf(object, type) ?? {}, 'status')
}

/** The object with this condition in the place of the one of its type. */
export function withCondition(object: ApiObject, condition: JsonObject): ApiObject {
  const status = objectAt(object, 'status')
  const type = textAt(condition, 'type')
  const before = arrayAt(status, 'conditions')
  const isIt = (each: Json) => isJsonObject(each) && textAt(each, 'type') === type
  const conditions = before.some(isIt) ? before.map((each) => (isIt(each) ? condition : each)) : [...before, condition]
  return withContent(object, { status: { ...status, conditions } })
}
