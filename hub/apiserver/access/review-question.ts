import type { JsonObject } from '../../../schemas/index.ts'
import { arrayAt, isJsonArray, isJsonObject, namespaceOf, objectAt, textAt } from '../../kube/object/index.ts'
import type { Attributes } from '../../kube/rbac/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { invalid, type StatusCause } from '../../kube/status.ts'
import type { User } from '../../serving/user.ts'
import type { Change } from '../rest/context.ts'

/** What an access review asks whether somebody may do it. */
export function askedFor(question: ApiObject): Attributes {
  const spec = objectAt(question, 'spec')
  if (!isJsonObject(spec['resourceAttributes'])) {
    const asked = objectAt(spec, 'nonResourceAttributes')
    return { verb: textAt(asked, 'verb'), path: textAt(asked, 'path') }
  }
  const asked = spec['resourceAttributes']
  return {
    verb: textAt(asked, 'verb'),
    path: '',
    resource: {
      group: textAt(asked, 'group'),
      version: textAt(asked, 'version'),
      plural: textAt(asked, 'resource'),
      subresource: textAt(asked, 'subresource'),
      namespace: textAt(asked, 'namespace'),
      name: textAt(asked, 'name'),
    },
  }
}

/** Whose rights a SubjectAccessReview is about. */
export function subjectIn(question: ApiObject): User {
  const spec = objectAt(question, 'spec')
  const extra = Object.entries(objectAt(spec, 'extra')).map(
    ([key, values]) => [key, isJsonArray(values) ? values.map(String) : []] as const,
  )
  return {
    name: textAt(spec, 'user'),
    groups: arrayAt(spec, 'groups').filter((each) => typeof each === 'string'),
    uid: textAt(spec, 'uid'),
    extra: Object.fromEntries(extra),
  }
}

/** Throws an Invalid Status in the words of Kubernetes. */
export function checkReview({ definition }: Change, question: ApiObject): void {
  const isLocal = definition.kind === 'LocalSubjectAccessReview'
  const isSelf = definition.kind === 'SelfSubjectAccessReview'
  const spec = objectAt(question, 'spec')
  const causes: readonly StatusCause[] = [
    ...attributeCauses(spec),
    ...(isSelf || textAt(spec, 'user') !== '' || arrayAt(spec, 'groups').length > 0
      ? []
      : [cause('spec.user', '""', 'at least one of user or group must be specified')]),
    ...(isLocal ? localCauses(question, spec) : []),
    ...metadataCauses(question, isLocal),
  ]
  // Upstream has lost the kind where it judges.
  if (causes.length > 0) throw invalid({ group: definition.group, kind: '' }, '', causes)
}

function attributeCauses(spec: JsonObject): readonly StatusCause[] {
  const [resource, path] = [isJsonObject(spec['resourceAttributes']), isJsonObject(spec['nonResourceAttributes'])]
  if (resource && path) {
    const given = shownPath(spec)
    return [cause('spec.nonResourceAttributes', given, 'cannot be specified in combination with resourceAttributes')]
  }
  if (resource || path) return []
  const why = 'exactly one of nonResourceAttributes or resourceAttributes must be specified'
  return [cause('spec.resourceAttributes', 'null', why)]
}

/** As upstream calls the fields inside. */
function shownPath(spec: JsonObject): string {
  const { path: Path = '', verb: Verb = '' } = objectAt(spec, 'nonResourceAttributes')
  return JSON.stringify({ Path, Verb })
}

function localCauses(question: ApiObject, spec: JsonObject): readonly StatusCause[] {
  if (!isJsonObject(spec['resourceAttributes'])) {
    if (!isJsonObject(spec['nonResourceAttributes'])) return []
    const given = shownPath(spec)
    return [cause('spec.nonResourceAttributes', given, 'disallowed on this kind of request')]
  }
  const namespace = textAt(spec['resourceAttributes'], 'namespace')
  if (namespace === namespaceOf(question)) return []
  return [cause('spec.resourceAttributes.namespace', JSON.stringify(namespace), 'must match metadata.namespace')]
}

function metadataCauses({ metadata }: ApiObject, isLocal: boolean): readonly StatusCause[] {
  const given = Object.keys(metadata).filter(
    (field) => field !== 'managedFields' && metadata[field] !== null && !(isLocal && field === 'namespace'),
  )
  if (given.length === 0) return []
  return [cause('metadata', JSON.stringify(metadata), `must be empty${isLocal ? ' except for namespace' : ''}`)]
}

function cause(field: string, value: string, why: string): StatusCause {
  return { reason: 'FieldValueInvalid', message: `Invalid value: ${value}: ${why}`, field }
}
