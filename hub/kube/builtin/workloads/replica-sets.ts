import type { ApiObject } from '../../resource.ts'
import type { FieldError } from '../../schema/field-error.ts'
import type { KindRules } from '../kind-rules.ts'
import { defaultPodTemplate } from '../pod-defaults.ts'
import { immutableErrors, negativeErrors, specOf, withDefaults } from './fields.ts'
import { lastingErrors, ownSelectorErrors, templateErrors } from './template.ts'

export const REPLICA_SET_RULES: KindRules = {
  defaults: defaultReplicaSet,
  onCreate: (set) => ({ ...set, status: { replicas: 0 } }),
  validate: replicaSetErrors,
}

function defaultReplicaSet(set: ApiObject): ApiObject {
  const spec = withDefaults(specOf(set), { replicas: 1 })
  return { ...set, spec: { ...spec, template: defaultPodTemplate(spec['template']) } }
}

function replicaSetErrors(set: ApiObject, old: ApiObject | undefined): readonly FieldError[] {
  const spec = specOf(set)
  return [
    ...negativeErrors(spec, ['replicas', 'minReadySeconds']),
    ...ownSelectorErrors(spec, 'deployment'),
    ...templateErrors(spec),
    ...lastingErrors(spec, 'ReplicaSet'),
    ...(old ? immutableErrors(spec, specOf(old), ['selector']) : []),
  ]
}
