import type { JsonObject } from '../../../../schemas/index.ts'
import type { ApiObject } from '../../resource.ts'
import { type FieldError, forbidden, invalid } from '../../schema/field-error.ts'
import { at, isJsonObject } from '../../schema/json.ts'
import type { KindRules } from '../kind-rules.ts'
import { defaultPodTemplate } from '../pod-defaults.ts'
import {
  figureOf,
  immutableErrors,
  negativeErrors,
  overHundredErrors,
  shareErrors,
  specOf,
  withDefaults,
} from './fields.ts'
import { lastingErrors, ownSelectorErrors, templateErrors } from './template.ts'

const ROLLING = 'spec.strategy.rollingUpdate'

export const DEPLOYMENT_RULES: KindRules = {
  defaults: defaultDeployment,
  onCreate: (deployment) => ({ ...deployment, status: {} }),
  validate: deploymentErrors,
}

function defaultDeployment(deployment: ApiObject): ApiObject {
  const given = specOf(deployment)
  const spec = withDefaults(given, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 })
  const template = defaultPodTemplate(given['template'])
  return { ...deployment, spec: { ...spec, template, strategy: defaultStrategy(given['strategy']) } }
}

function defaultStrategy(given: JsonObject[string] | undefined): JsonObject {
  const strategy = isJsonObject(given) ? given : {}
  const type = strategy['type'] || 'RollingUpdate'
  if (type !== 'RollingUpdate') return { ...strategy, type }
  const rolling = isJsonObject(strategy['rollingUpdate']) ? strategy['rollingUpdate'] : {}
  return { ...strategy, type, rollingUpdate: withDefaults(rolling, { maxUnavailable: '25%', maxSurge: '25%' }) }
}

function deploymentErrors(deployment: ApiObject, old: ApiObject | undefined): readonly FieldError[] {
  const spec = specOf(deployment)
  return [
    ...negativeErrors(spec, ['replicas']),
    ...ownSelectorErrors(spec, 'deployment'),
    ...templateErrors(spec),
    ...lastingErrors(spec, 'ReplicaSet'),
    ...strategyErrors(spec['strategy']),
    ...negativeErrors(spec, ['minReadySeconds', 'revisionHistoryLimit', 'progressDeadlineSeconds']),
    ...deadlineErrors(spec),
    ...(old ? immutableErrors(spec, specOf(old), ['selector']) : []),
  ]
}

function strategyErrors(strategy: JsonObject[string] | undefined): readonly FieldError[] {
  const rolling = at(strategy, 'rollingUpdate')
  if (at(strategy, 'type') === 'Recreate') {
    if (rolling === undefined || rolling === null) return []
    return [forbidden(ROLLING, "may not be specified when strategy `type` is 'Recreate'")]
  }
  const unavailable = at(rolling, 'maxUnavailable')
  const surge = at(rolling, 'maxSurge')
  return [
    ...shareErrors(unavailable, `${ROLLING}.maxUnavailable`),
    ...shareErrors(surge, `${ROLLING}.maxSurge`),
    ...(figureOf(unavailable) === 0 && figureOf(surge) === 0
      ? [invalid(`${ROLLING}.maxUnavailable`, unavailable ?? 0, 'may not be 0 when `maxSurge` is 0')]
      : []),
    ...overHundredErrors(unavailable, `${ROLLING}.maxUnavailable`),
  ]
}

function deadlineErrors(spec: JsonObject): readonly FieldError[] {
  const { progressDeadlineSeconds: deadline, minReadySeconds: least = 0 } = spec
  if (typeof deadline !== 'number' || typeof least !== 'number' || deadline > least) return []
  return [invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds')]
}
