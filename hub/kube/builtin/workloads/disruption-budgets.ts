import type { ApiObject } from '../../resource.ts'
import { type FieldError, invalid } from '../../schema/field-error.ts'
import { isJsonObject } from '../../schema/json.ts'
import type { KindRules } from '../kind-rules.ts'
import { overHundredErrors, selectorErrors, shareErrors, specOf } from './fields.ts'

const NO_PODS = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 }

export const DISRUPTION_BUDGET_RULES: KindRules = {
  onCreate: (budget) => ({ ...budget, status: NO_PODS }),
  validate: budgetErrors,
}

function budgetErrors(budget: ApiObject): readonly FieldError[] {
  const spec = specOf(budget)
  const { minAvailable: least, maxUnavailable: most, selector } = spec
  return [
    ...(least !== undefined && most !== undefined
      ? [invalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set')]
      : []),
    ...shareErrors(least, 'spec.minAvailable'),
    ...overHundredErrors(least, 'spec.minAvailable'),
    ...shareErrors(most, 'spec.maxUnavailable'),
    ...overHundredErrors(most, 'spec.maxUnavailable'),
    ...(isJsonObject(selector) ? selectorErrors(selector, 'spec.selector') : []),
  ]
}
