import type { Json, JsonObject } from '../../../../schemas/index.ts'
import type { ApiObject } from '../../resource.ts'
import { type FieldError, invalid, required } from '../../schema/field-error.ts'
import { at, isJsonObject, isSame } from '../../schema/json.ts'
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

/** Counts the changes of the template; Kubernetes keeps it for clients of long ago, and kubectl shows it. */
const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation'
const ROLLING = 'spec.updateStrategy.rollingUpdate'
const NO_PODS = { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 }

export const DAEMON_SET_RULES: KindRules = {
  defaults: defaultDaemonSet,
  onCreate: (set) => ({ ...withTemplateGeneration(set, 1), status: NO_PODS }),
  onUpdate: (set, old) => {
    const isSameTemplate = isSame(specOf(set)['template'], specOf(old)['template'])
    return withTemplateGeneration(set, templateGeneration(old) + (isSameTemplate ? 0 : 1))
  },
  validate: daemonSetErrors,
}

function defaultDaemonSet(set: ApiObject): ApiObject {
  const given = specOf(set)
  const spec = withDefaults(given, { revisionHistoryLimit: 10 })
  const template = defaultPodTemplate(given['template'])
  return { ...set, spec: { ...spec, template, updateStrategy: defaultStrategy(given['updateStrategy']) } }
}

function defaultStrategy(given: Json | undefined): JsonObject {
  const strategy = isJsonObject(given) ? given : {}
  const type = strategy['type'] || 'RollingUpdate'
  if (type !== 'RollingUpdate') return { ...strategy, type }
  const rolling = isJsonObject(strategy['rollingUpdate']) ? strategy['rollingUpdate'] : {}
  return { ...strategy, type, rollingUpdate: withDefaults(rolling, { maxUnavailable: 1, maxSurge: 0 }) }
}

function daemonSetErrors(set: ApiObject, old: ApiObject | undefined): readonly FieldError[] {
  const spec = specOf(set)
  return [
    ...(old ? immutableErrors(spec, specOf(old), ['selector']) : []),
    ...ownSelectorErrors(spec, 'daemonset'),
    ...templateErrors(spec),
    ...lastingErrors(spec, 'DaemonSet'),
    ...negativeErrors(spec, ['minReadySeconds']),
    ...strategyErrors(spec['updateStrategy']),
    ...negativeErrors(spec, ['revisionHistoryLimit']),
  ]
}

function strategyErrors(strategy: Json | undefined): readonly FieldError[] {
  if (at(strategy, 'type') !== 'RollingUpdate') return []
  const unavailable = at(strategy, 'rollingUpdate', 'maxUnavailable')
  const surge = at(strategy, 'rollingUpdate', 'maxSurge')
  const both = figureOf(unavailable) !== 0 && figureOf(surge) !== 0
  const none = figureOf(unavailable) === 0 && figureOf(surge) === 0
  return [
    ...shareErrors(unavailable, `${ROLLING}.maxUnavailable`),
    ...shareErrors(surge, `${ROLLING}.maxSurge`),
    ...overHundredErrors(unavailable, `${ROLLING}.maxUnavailable`),
    ...overHundredErrors(surge, `${ROLLING}.maxSurge`),
    ...(both ? [invalid(`${ROLLING}.maxSurge`, surge ?? null, 'may not be set when maxUnavailable is non-zero')] : []),
    ...(none ? [required(`${ROLLING}.maxUnavailable`, 'cannot be 0 when maxSurge is 0')] : []),
  ]
}

function templateGeneration(set: ApiObject): number {
  return Number(at(set.metadata, 'annotations', TEMPLATE_GENERATION) ?? 1) || 1
}

function withTemplateGeneration(set: ApiObject, generation: number): ApiObject {
  const { annotations } = set.metadata
  const given = isJsonObject(annotations) ? annotations : {}
  return {
    ...set,
    metadata: { ...set.metadata, annotations: { ...given, [TEMPLATE_GENERATION]: String(generation) } },
  }
}
