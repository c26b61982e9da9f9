import type { ApiObject } from '../resource.ts'
import { type FieldError, invalid } from '../schema/field-error.ts'
import { at } from '../schema/json.ts'
import type { KindRules } from './kind-rules.ts'

export const LEASE_RULES: KindRules = { validate: leaseErrors }

function leaseErrors(lease: ApiObject): readonly FieldError[] {
  const seconds = at(lease, 'spec', 'leaseDurationSeconds')
  const transitions = at(lease, 'spec', 'leaseTransitions')
  return [
    ...(typeof seconds === 'number' && seconds <= 0
      ? [invalid('spec.leaseDurationSeconds', seconds, 'must be greater than 0')]
      : []),
    ...(typeof transitions === 'number' && transitions < 0
      ? [invalid('spec.leaseTransitions', transitions, 'must be greater than or equal to 0')]
      : []),
  ]
}
