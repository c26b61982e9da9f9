import type { Json } from '../../../schemas/index.ts'
import { child, type FieldError, index, invalid, notSupported, required } from '../schema/field-error.ts'
import { at, isJsonArray } from '../schema/json.ts'

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']
const SCOPES = ['*', 'Cluster', 'Namespaced']

/** What is wrong with a rule that says which changes a webhook wants to see. */
export function ruleErrors(rule: Json, path: string): readonly FieldError[] {
  const [operations, resources, scope] = [at(rule, 'operations'), at(rule, 'resources'), at(rule, 'scope')]
  return [
    ...setErrors(operations, child(path, 'operations'), 'operations'),
    ...texts(operations).flatMap((operation, position) =>
      OPERATIONS.includes(operation)
        ? []
        : [notSupported(index(child(path, 'operations'), position), operation, OPERATIONS)],
    ),
    ...setErrors(at(rule, 'apiGroups'), child(path, 'apiGroups'), 'API groups'),
    ...setErrors(at(rule, 'apiVersions'), child(path, 'apiVersions'), 'API versions'),
    ...texts(at(rule, 'apiVersions')).flatMap((version, position) =>
      version === '' ? [required(index(child(path, 'apiVersions'), position))] : [],
    ),
    ...resourceErrors(texts(resources), child(path, 'resources')),
    ...(typeof scope !== 'string' || SCOPES.includes(scope) ? [] : [notSupported(child(path, 'scope'), scope, SCOPES)]),
  ]
}

function setErrors(value: Json | undefined, path: string, what: string): readonly FieldError[] {
  const given = texts(value)
  if (given.length === 0) return [required(path)]
  if (given.length === 1 || !given.includes('*')) return []
  return [invalid(path, given, `if '*' is present, must not specify other ${what}`)]
}

function resourceErrors(resources: readonly string[], path: string): readonly FieldError[] {
  if (resources.length === 0) return [required(path)]
  const isAll = resources.length > 1 && resources.includes('*/*')
  const isMixed = resources.includes('*') && resources.some((each) => each !== '*' && !each.includes('/'))
  return [
    ...resources.flatMap((resource, position) => {
      const field = index(path, position)
      if (resource === '') return [required(field)]
      return coveringOf(resource, resources.slice(0, position)).map((other) =>
        invalid(field, resource, `if '${other}' is present, must not specify ${resource}`),
      )
    }),
    ...(isAll ? [invalid(path, resources, "if '*/*' is present, must not specify other resources")] : []),
    ...(isMixed
      ? [invalid(path, resources, "if '*' is present, must not specify other resources without subresources")]
      : []),
  ]
}

/** Which of the others mean this subresource, too. */
function coveringOf(resource: string, others: readonly string[]): readonly string[] {
  const slash = resource.indexOf('/')
  if (slash < 0) return []
  return [`${resource.slice(0, slash)}/*`, `*${resource.slice(slash)}`].filter((each) => others.includes(each))
}

function texts(value: Json | undefined): readonly string[] {
  return isJsonArray(value) ? value.filter((each) => typeof each === 'string') : []
}
