import type { Json, JsonObject } from '../../../schemas/index.ts'
import type { KindRules } from '../builtin/kind-rules.ts'
import { arrayAt, isJsonObject, objectAt, sameJson, textAt, withContent, withFields } from '../object/access.ts'
import type { ApiObject } from '../resource.ts'
import { child, type FieldError, index, invalid, notSupported, required } from '../schema/field-error.ts'
import { dnsSubdomain, labelValue, qualifiedName } from '../schema/names.ts'
import { RBAC_GROUP } from './policy-rule.ts'

/** By `group/Kind`. */
export const ACCESS_RULES: Readonly<Record<string, KindRules>> = {
  [`${RBAC_GROUP}/Role`]: { validate: (role) => ruleErrors(role, true) },
  [`${RBAC_GROUP}/ClusterRole`]: { validate: (role) => [...ruleErrors(role, false), ...aggregationErrors(role)] },
  [`${RBAC_GROUP}/RoleBinding`]: bindingRules(['Role', 'ClusterRole'], true),
  [`${RBAC_GROUP}/ClusterRoleBinding`]: bindingRules(['ClusterRole'], false),
}

function ruleErrors(role: ApiObject, isNamespaced: boolean): readonly FieldError[] {
  return objectsAt(role, 'rules').flatMap((rule, position) => {
    const path = index('rules', position)
    const urls = arrayAt(rule, 'nonResourceURLs')
    return [
      ...(arrayAt(rule, 'verbs').length === 0
        ? [required(child(path, 'verbs'), 'verbs must contain at least one value')]
        : []),
      ...(urls.length > 0 ? pathErrors(rule, path, urls, isNamespaced) : resourceErrors(rule, path)),
    ]
  })
}

function pathErrors(rule: JsonObject, path: string, urls: readonly Json[], isNamespaced: boolean) {
  const field = child(path, 'nonResourceURLs')
  const ofResources = ['apiGroups', 'resources', 'resourceNames'].some((list) => arrayAt(rule, list).length > 0)
  return [
    ...(isNamespaced ? [invalid(field, urls, 'namespaced rules cannot apply to non-resource URLs')] : []),
    ...(ofResources
      ? [invalid(field, urls, 'rules cannot apply to both regular resources and non-resource URLs')]
      : []),
  ]
}

function resourceErrors(rule: JsonObject, path: string): readonly FieldError[] {
  const lacks = (list: string) => arrayAt(rule, list).length === 0
  return [
    ...(lacks('apiGroups')
      ? [required(child(path, 'apiGroups'), 'resource rules must supply at least one api group')]
      : []),
    ...(lacks('resources')
      ? [required(child(path, 'resources'), 'resource rules must supply at least one resource')]
      : []),
  ]
}

const SELECTORS = 'aggregationRule.clusterRoleSelectors'

function aggregationErrors(role: ApiObject): readonly FieldError[] {
  if (!isJsonObject(role['aggregationRule'])) return []
  const selectors = objectsAt(role['aggregationRule'], 'clusterRoleSelectors')
  if (selectors.length === 0) {
    return [required(SELECTORS, 'at least one clusterRoleSelector required if aggregationRule is non-nil')]
  }
  return selectors.flatMap((selector, position) => selectorErrors(selector, index(SELECTORS, position)))
}

function selectorErrors(selector: JsonObject, path: string): readonly FieldError[] {
  const labels = Object.entries(objectAt(selector, 'matchLabels')).flatMap(([key, value]) => [
    ...qualifiedName(key).map((text) => invalid(child(path, 'matchLabels'), key, text)),
    ...labelValue(String(value)).map((text) => invalid(child(path, 'matchLabels'), value, text)),
  ])
  const said = objectsAt(selector, 'matchExpressions').flatMap((each, position) =>
    expressionErrors(each, index(child(path, 'matchExpressions'), position)),
  )
  const errors = [...labels, ...said]
  return errors.length === 0 ? [] : [...errors, invalid(path, null, 'invalid label selector.')]
}

function expressionErrors(said: JsonObject, path: string): readonly FieldError[] {
  const operator = textAt(said, 'operator')
  const values = arrayAt(said, 'values')
  const needsValues = operator === 'In' || operator === 'NotIn'
  const isKnown = needsValues || operator === 'Exists' || operator === 'DoesNotExist'
  return [
    ...(isKnown ? [] : [invalid(child(path, 'operator'), operator, 'not a valid selector operator')]),
    ...(needsValues && values.length === 0
      ? [required(child(path, 'values'), "must be specified when `operator` is 'In' or 'NotIn'")]
      : []),
    ...qualifiedName(textAt(said, 'key')).map((text) => invalid(child(path, 'key'), textAt(said, 'key'), text)),
  ]
}

function bindingRules(roleKinds: readonly string[], isNamespaced: boolean): KindRules {
  return {
    defaults: defaultBinding,
    validate: (binding, old) => [
      ...refErrors(binding, roleKinds),
      ...objectsAt(binding, 'subjects').flatMap((subject, position) =>
        subjectErrors(subject, index('subjects', position), isNamespaced),
      ),
      ...(old && !sameJson(binding['roleRef'], old['roleRef'])
        ? [invalid('roleRef', inGo(objectAt(binding, 'roleRef')), 'cannot change roleRef')]
        : []),
    ],
  }
}

function defaultBinding(binding: ApiObject): ApiObject {
  const ref = objectAt(binding, 'roleRef')
  const subjects = objectsAt(binding, 'subjects').map((subject) =>
    subject['kind'] === 'User' || subject['kind'] === 'Group'
      ? withFields(subject, { apiGroup: textAt(subject, 'apiGroup') || RBAC_GROUP })
      : subject,
  )
  return withContent(binding, {
    roleRef: withFields(ref, { apiGroup: textAt(ref, 'apiGroup') || RBAC_GROUP }),
    subjects: binding['subjects'] === undefined ? undefined : subjects,
  })
}

function refErrors(binding: ApiObject, kinds: readonly string[]): readonly FieldError[] {
  const { apiGroup = '', kind = '', name = '' } = objectAt(binding, 'roleRef')
  return [
    ...(apiGroup === RBAC_GROUP ? [] : [notSupported('roleRef.apiGroup', apiGroup, [RBAC_GROUP])]),
    ...(kinds.some((each) => each === kind) ? [] : [notSupported('roleRef.kind', kind, kinds)]),
    ...(name === '' ? [required('roleRef.name')] : segmentErrors('roleRef.name', String(name))),
  ]
}

/** Names of roles stand in paths. */
function segmentErrors(field: string, name: string): readonly FieldError[] {
  if (name === '.' || name === '..') return [invalid(field, name, `may not be '${name}'`)]
  return ['/', '%']
    .filter((each) => name.includes(each))
    .map((each) => invalid(field, name, `may not contain '${each}'`))
}

function subjectErrors(subject: JsonObject, path: string, isNamespaced: boolean): readonly FieldError[] {
  const name = textAt(subject, 'name')
  const named = name === '' ? [required(child(path, 'name'))] : []
  const kind = textAt(subject, 'kind')
  const group = textAt(subject, 'apiGroup')
  if (kind === 'User' || kind === 'Group') {
    return [...named, ...(group === RBAC_GROUP ? [] : [notSupported(child(path, 'apiGroup'), group, [RBAC_GROUP])])]
  }
  if (kind !== 'ServiceAccount') {
    return [...named, notSupported(child(path, 'kind'), kind, ['ServiceAccount', 'User', 'Group'])]
  }
  return [
    ...named,
    ...(name === '' ? [] : dnsSubdomain(name)).map((text) => invalid(child(path, 'name'), name, text)),
    ...(group === '' ? [] : [notSupported(child(path, 'apiGroup'), group, [''])]),
    ...(isNamespaced || textAt(subject, 'namespace') !== '' ? [] : [required(child(path, 'namespace'))]),
  ]
}

function objectsAt(object: JsonObject, field: string): readonly JsonObject[] {
  return arrayAt(object, field).filter(isJsonObject)
}

/** A roleRef as the error of an API server shows it: by the names of its fields in Go. */
function inGo({ apiGroup = '', kind = '', name = '' }: JsonObject): JsonObject {
  return { APIGroup: apiGroup, Kind: kind, Name: name }
}
