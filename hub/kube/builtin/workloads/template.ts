import type { Json, JsonObject } from '../../../../schemas/index.ts'
import type { ApiObject } from '../../resource.ts'
import { child, type FieldError, forbidden, invalid, notSupported, required } from '../../schema/field-error.ts'
import { at, isJsonArray, isJsonObject } from '../../schema/json.ts'
import { selects } from '../../selectors/index.ts'
import { podErrors } from '../pod-rules.ts'
import { labelErrors, selectorErrors } from './fields.ts'

const TEMPLATE = 'spec.template'

/** The labels of the pods that the template of a workload makes. */
export function templateLabels(spec: JsonObject): Readonly<Record<string, string>> {
  const labels = at(spec, 'template', 'metadata', 'labels')
  if (!isJsonObject(labels)) return {}
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, String(value)]))
}

/** A selector that is there, takes something, and takes the pods of the template. `word` is how Kubernetes names the kind. */
export function ownSelectorErrors(spec: JsonObject, word: string): readonly FieldError[] {
  const { selector } = spec
  if (!isJsonObject(selector)) return [required('spec.selector'), mismatch(spec)]
  const isEmpty = !hasSome(selector['matchLabels']) && !hasSome(selector['matchExpressions'])
  return [
    ...selectorErrors(selector, 'spec.selector'),
    ...(isEmpty ? [invalid('spec.selector', selector, `empty selector is invalid for ${word}`)] : []),
    ...matchErrors(spec),
  ]
}

export function matchErrors(spec: JsonObject): readonly FieldError[] {
  return selects(spec['selector'], templateLabels(spec)) ? [] : [mismatch(spec)]
}

/** What is wrong with the template as pods would be made from it. */
export function templateErrors(spec: JsonObject): readonly FieldError[] {
  const { template } = spec
  const labels = at(template, 'metadata', 'labels')
  const pod: ApiObject = { apiVersion: 'v1', kind: 'Pod', metadata: {}, spec: at(template, 'spec') ?? {} }
  const path = child(TEMPLATE, 'spec.ephemeralContainers')
  return [
    ...(isJsonObject(labels) ? labelErrors(labels, child(TEMPLATE, 'labels')) : []),
    ...podErrors(pod, undefined).map((error) => ({ ...error, field: child(TEMPLATE, error.field) })),
    ...(hasSome(at(template, 'spec', 'ephemeralContainers'))
      ? [forbidden(path, 'ephemeral containers not allowed in pod template')]
      : []),
  ]
}

/** Pods that never end by themselves. `kind` is how Kubernetes names it in its texts. */
export function lastingErrors(spec: JsonObject, kind: string): readonly FieldError[] {
  const policy = at(spec, 'template', 'spec', 'restartPolicy')
  const field = child(TEMPLATE, 'spec.activeDeadlineSeconds')
  return [
    ...(policy === 'Always' || policy === undefined
      ? []
      : [notSupported(child(TEMPLATE, 'spec.restartPolicy'), policy, ['Always'])]),
    ...(at(spec, 'template', 'spec', 'activeDeadlineSeconds') === undefined
      ? []
      : [forbidden(field, `activeDeadlineSeconds in ${kind} is not Supported`)]),
  ]
}

function mismatch(spec: JsonObject): FieldError {
  const labels = at(spec, 'template', 'metadata', 'labels') ?? null
  return invalid(child(TEMPLATE, 'metadata.labels'), labels, '`selector` does not match template `labels`')
}

function hasSome(value: Json | undefined): boolean {
  if (isJsonArray(value)) return value.length > 0
  return isJsonObject(value) && Object.keys(value).length > 0
}
