import type { ApiObject } from '../../resource.ts'
import { type FieldError, invalid, required } from '../../schema/field-error.ts'
import { isJsonObject, isSame } from '../../schema/json.ts'
import type { KindRules } from '../kind-rules.ts'
import { negativeErrors } from './fields.ts'

export const CONTROLLER_REVISION_RULES: KindRules = { validate: revisionErrors }

function revisionErrors(revision: ApiObject, old: ApiObject | undefined): readonly FieldError[] {
  const { data } = revision
  const negative = negativeErrors(revision, ['revision'], '')
  if (old)
    return [...negative, ...(isSame(data, old['data']) ? [] : [invalid('data', data ?? null, 'field is immutable')])]
  if (data === undefined || data === null) return [...negative, required('data', 'data is mandatory')]
  return isJsonObject(data) ? negative : [...negative, required('data', 'data must be a valid JSON object')]
}
