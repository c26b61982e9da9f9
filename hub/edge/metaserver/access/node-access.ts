import type { Bus } from '../../../../platform/bus/index.ts'
import { type JsonObject, objectChanges, parseResource } from '../../../../schemas/index.ts'
import {
  arrayAt,
  isApiObject,
  isJsonObject,
  nameOf,
  namespaceOf,
  objectAt,
  textAt,
} from '../../../kube/object/index.ts'
import { type Attributes, type Decision, Policy } from '../../../kube/rbac/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'
import { keyOf } from '../../../serving/objects/registry.ts'
import type { User } from '../../../serving/user.ts'
import type { MetaManager } from '../../meta/meta-manager.ts'
import { ACCESS_TYPE } from '../objects/follow-node.ts'

/** What is known here of the rights of service accounts. */
export interface NodeAccess extends Disposable {
  /** uid of a service account whose rights are known here. */
  accountUid(namespace: string, name: string): string | undefined
  /** Undefined: nothing is known of this user here. */
  decide(user: User, attributes: Attributes): Decision | undefined
}

interface Known {
  readonly uid: string
  readonly policy: Policy
}

export interface NodeAccessPorts {
  readonly meta: Pick<MetaManager, 'list' | 'stored'>
  readonly bus: Bus
}

const ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/

/**
 * Rights of the service accounts of this node's pods, as the cloud synchronised them (`serviceaccountaccess`, KubeEdge's form: the
 * account, and each binding with the rules of its role). An account that is known has these rights and no others.
 */
export function followAccess({ meta, bus }: NodeAccessPorts): NodeAccess {
  const known = new Map<string, Known>()
  const byResource = new Map<string, string>()
  const put = (resource: string, object: JsonObject | undefined) => {
    const before = byResource.get(resource)
    if (before !== undefined) known.delete(before)
    byResource.delete(resource)
    const access = object && accessOf(object)
    if (!access) return
    known.set(access.account, access)
    byResource.set(resource, access.account)
  }
  for (const object of meta.list(ACCESS_TYPE)) {
    const metadata = objectAt(object, 'metadata')
    put(`${textAt(metadata, 'namespace')}/${ACCESS_TYPE}/${textAt(metadata, 'name')}`, object)
  }
  const subscription = bus.subscribe(objectChanges, ({ resource }) => {
    if (parseResource(resource)?.type === ACCESS_TYPE) put(resource, meta.stored(resource))
  })
  return {
    accountUid: (namespace, name) => known.get(keyOf(namespace, name))?.uid,
    decide(user, attributes) {
      const [, namespace = '', name = ''] = ACCOUNT.exec(user.name) ?? []
      const found = known.get(keyOf(namespace, name))
      if (!found || (user.uid !== undefined && found.uid !== '' && user.uid !== found.uid)) return undefined
      return found.policy.decide(user, attributes)
    },
    [Symbol.dispose]: () => subscription[Symbol.dispose](),
  }
}

/** One object of the cloud, in KubeEdge's form; nothing for what has another one. */
function accessOf(object: JsonObject): (Known & { readonly account: string }) | undefined {
  const spec = objectAt(object, 'spec')
  const account = objectAt(objectAt(spec, 'serviceAccount'), 'metadata')
  const namespace = textAt(account, 'namespace') || textAt(objectAt(object, 'metadata'), 'namespace')
  const name = textAt(account, 'name')
  if (namespace === '' || name === '') return undefined
  const policy = new Policy()
  const given = [
    ['accessRoleBinding', 'roleBinding', 'rolebindings'],
    ['accessClusterRoleBinding', 'clusterRoleBinding', 'clusterrolebindings'],
  ] as const
  for (const [list, field, plural] of given) {
    for (const each of arrayAt(spec, list).filter(isJsonObject)) putBinding(policy, plural, each, field)
  }
  return { account: keyOf(namespace, name), uid: textAt(spec, 'serviceAccountUid') || textAt(account, 'uid'), policy }
}

/** A binding stands with the rules of its role; the role itself is not sent. */
function putBinding(
  policy: Policy,
  plural: 'rolebindings' | 'clusterrolebindings',
  access: JsonObject,
  field: string,
): void {
  const binding = named(objectAt(access, field))
  if (!binding) return
  const { kind = '', name = '' } = objectAt(binding, 'roleRef')
  const namespace = namespaceOf(binding)
  const metadata = { name, ...(kind === 'Role' ? { namespace } : {}) }
  const role = named({ metadata, rules: arrayAt(access, 'rules') })
  if (!role) return
  policy.put(kind === 'Role' ? 'roles' : 'clusterroles', role)
  policy.put(plural, binding)
}

function named(object: JsonObject): ApiObject | undefined {
  const whole = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: '', ...object }
  return isApiObject(whole) && nameOf(whole) !== '' ? whole : undefined
}
