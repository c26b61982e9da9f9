import { nameOf, namespaceOf } from '../object/access.ts'
import type { ApiObject } from '../resource.ts'
import type { Attributes, Decision, Requester } from './attributes.ts'
import {
  type PolicyRule,
  RBAC_GROUP,
  type RoleRef,
  roleRefOf,
  ruleAllows,
  rulesOf,
  type Subject,
  subjectsOf,
} from './policy-rule.ts'
import { type Grant, SubjectIndex } from './subject-index.ts'

/** Plural names of the kinds that say who may do what. */
export type AccessResource = 'clusterroles' | 'clusterrolebindings' | 'roles' | 'rolebindings'

/** Rules that somebody has; `errors` say which bindings name roles that are not there. */
export interface HeldRules {
  readonly rules: readonly PolicyRule[]
  readonly errors: readonly string[]
}

/**
 * All roles and bindings, indexed by whom they are for: a decision looks at those of the user alone, and a changed object costs
 * no more than itself.
 */
export class Policy {
  readonly #roles = new Map<string, readonly PolicyRule[]>()
  readonly #cluster = new SubjectIndex('')
  readonly #namespaces = new Map<string, SubjectIndex>()

  /** An object of one of the four kinds is there, or there in another form. */
  put(resource: AccessResource, object: ApiObject): void {
    const name = nameOf(object)
    const namespace = namespaceOf(object)
    if (resource === 'clusterroles') this.#roles.set(roleKey('', name), rulesOf(object))
    else if (resource === 'roles') this.#roles.set(roleKey(namespace, name), rulesOf(object))
    else if (resource === 'clusterrolebindings') this.#cluster.put(name, roleRefOf(object), subjectsOf(object))
    else this.#indexOf(namespace).put(name, roleRefOf(object), subjectsOf(object))
  }

  remove(resource: AccessResource, namespace: string, name: string): void {
    if (resource === 'clusterroles') this.#roles.delete(roleKey('', name))
    else if (resource === 'roles') this.#roles.delete(roleKey(namespace, name))
    else if (resource === 'clusterrolebindings') this.#cluster.remove(name)
    else {
      const index = this.#namespaces.get(namespace)
      index?.remove(name)
      if (index?.isEmpty) this.#namespaces.delete(namespace)
    }
  }

  /** Whether a binding of the cluster, or of the namespace asked for, admits it. Nothing is ever denied by a rule. */
  decide(user: Requester, attributes: Attributes): Decision {
    const errors: string[] = []
    for (const grant of this.#grants(user, attributes.resource?.namespace ?? '')) {
      const rules = this.rulesOfRole(grant.roleRef, grant.namespace)
      if (!rules) errors.push(missingRole(grant.roleRef))
      else if (rules.some((rule) => ruleAllows(rule, attributes))) {
        return { allowed: true, reason: `RBAC: allowed by ${describe(grant)}` }
      }
    }
    return { allowed: false, reason: errors.length === 0 ? '' : `RBAC: ${joined(errors)}` }
  }

  /** Everything that somebody may do in a namespace (empty: in the cluster). */
  rulesFor(user: Requester, namespace: string): HeldRules {
    const seen = new Set<string>()
    const rules: PolicyRule[] = []
    const errors: string[] = []
    for (const grant of this.#grants(user, namespace)) {
      const key = roleKey(grant.namespace, grant.binding)
      if (seen.has(key)) continue
      seen.add(key)
      const held = this.rulesOfRole(grant.roleRef, grant.namespace)
      if (held) rules.push(...held)
      else errors.push(missingRole(grant.roleRef))
    }
    return { rules, errors: [...new Set(errors)] }
  }

  /** Nothing where the role is missing. `namespace` is that of the binding, empty for a ClusterRoleBinding. */
  rulesOfRole({ kind, name }: RoleRef, namespace: string): readonly PolicyRule[] | undefined {
    if (kind === 'ClusterRole') return this.#roles.get(roleKey('', name))
    return kind === 'Role' && namespace !== '' ? this.#roles.get(roleKey(namespace, name)) : undefined
  }

  *#grants({ name, groups }: Requester, namespace: string): Generator<Grant> {
    yield* this.#cluster.of(name, groups)
    if (namespace !== '') yield* this.#namespaces.get(namespace)?.of(name, groups) ?? []
  }

  #indexOf(namespace: string): SubjectIndex {
    const known = this.#namespaces.get(namespace)
    if (known) return known
    const made = new SubjectIndex(namespace)
    this.#namespaces.set(namespace, made)
    return made
  }
}

/** In the words of Kubernetes. */
function missingRole({ kind, name }: RoleRef): string {
  if (kind !== 'Role' && kind !== 'ClusterRole') return `unsupported role reference kind: ${JSON.stringify(kind)}`
  return `${kind.toLowerCase()}.${RBAC_GROUP} ${JSON.stringify(name)} not found`
}

/** Several errors as Go's aggregate writes them. */
function joined(errors: readonly string[]): string {
  const distinct = [...new Set(errors)]
  return distinct.length === 1 ? (distinct[0] ?? '') : `[${distinct.join(', ')}]`
}

/** Kubernetes writes name before namespace. */
function describe({ binding, namespace, roleRef, subject }: Grant): string {
  const what =
    namespace === '' ? `ClusterRoleBinding ${quoted(binding)}` : `RoleBinding ${quoted(`${binding}/${namespace}`)}`
  return `${what} of ${roleRef.kind} ${quoted(roleRef.name)} to ${subjectText(subject, namespace)}`
}

function subjectText({ kind, name, namespace }: Subject, own: string): string {
  return kind === 'ServiceAccount' ? `${kind} ${quoted(`${name}/${namespace || own}`)}` : `${kind} ${quoted(name)}`
}

function quoted(text: string): string {
  return JSON.stringify(text)
}

/** No name of a role or namespace has a slash. */
function roleKey(namespace: string, name: string): string {
  return `${namespace}/${name}`
}
