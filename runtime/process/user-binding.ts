import { type Kubernetes, kubernetesFromConfig, type ResourceType, reasonOfError } from '../../hub/cloud/index.ts'
import { ConfigError, SkerryError, UnavailableError } from '../../platform/lifecycle/index.ts'
import { silentLogger } from '../../platform/log/index.ts'
import { systemClock } from '../../platform/time/index.ts'
import type { KubeObject } from '../../schemas/index.ts'

/** Which role somebody gets, and where; undefined: in the whole cluster. */
export interface Wish {
  readonly role: string
  readonly namespace: string | undefined
}

const GROUP = 'rbac.authorization.k8s.io'
const ROLES = kind('roles', 'Role', true)
const CLUSTER_ROLES = kind('clusterroles', 'ClusterRole', false)
const ROLE_BINDINGS = kind('rolebindings', 'RoleBinding', true)
const CLUSTER_ROLE_BINDINGS = kind('clusterrolebindings', 'ClusterRoleBinding', false)

/** Binds the role to the user, as the administrator whose kubeconfig this is; answers what was given, for people. */
export async function bindUser(kubeconfig: string, user: string, wish: Wish): Promise<string> {
  const kubernetes = await kubernetesFromConfig({ file: kubeconfig }, { clock: systemClock, log: silentLogger })
  try {
    return await bind(kubernetes, user, wish)
  } catch (error) {
    if (!(error instanceof SkerryError) || error.code !== 'HUB_KUBERNETES_UNREACHABLE') throw error
    throw new UnavailableError(
      'rights are given by the running Kubernetes API, and it cannot be reached: start skerry cloud or skerry up, or leave the role out and bind it later',
      { code: 'PROCESS_USER_API_DOWN', cause: error },
    )
  } finally {
    kubernetes[Symbol.dispose]()
  }
}

async function bind(kubernetes: Kubernetes, user: string, { role, namespace }: Wish): Promise<string> {
  const local = namespace === undefined ? undefined : await kubernetes.get(ROLES, { namespace, name: role })
  if (!local && !(await kubernetes.get(CLUSTER_ROLES, { name: role }))) {
    const where =
      namespace === undefined ? 'no ClusterRole' : `neither a Role in namespace ${namespace} nor a ClusterRole`
    throw new ConfigError(`there is ${where} ${role}: kubectl get clusterroles lists what there is`, {
      code: 'PROCESS_USER_ROLE_UNKNOWN',
    })
  }
  const roleKind = local ? 'Role' : 'ClusterRole'
  const name = `skerry:user:${user.replaceAll('/', '_')}:${roleKind.toLowerCase()}:${role}`
  const binding = {
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    roleRef: { apiGroup: GROUP, kind: roleKind, name: role },
    subjects: [{ apiGroup: GROUP, kind: 'User', name: user }],
  }
  try {
    await kubernetes.create(namespace === undefined ? CLUSTER_ROLE_BINDINGS : ROLE_BINDINGS, namespace, binding)
  } catch (error) {
    // The name says all that is in it.
    if (reasonOfError(error) !== 'AlreadyExists') throw error
  }
  return namespace === undefined
    ? `It has ${roleKind} ${role} in the whole cluster: ClusterRoleBinding ${name}`
    : `It has ${roleKind} ${role} in namespace ${namespace}: RoleBinding ${name}`
}

function kind(plural: string, name: string, namespaced: boolean): ResourceType {
  return {
    group: GROUP,
    version: 'v1',
    plural,
    kind: name,
    namespaced,
    accepts: (object): object is KubeObject => !!object,
  }
}
