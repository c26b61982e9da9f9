import { CLOUD_NAMESPACE, cloudAccess, kubeletClientAccess } from '../../../schemas/access/index.ts'
import { isApiObject, nameOf, namespaceOf } from '../../kube/object/index.ts'
import { aggregated, DEFAULT_ACCESS, RBAC_GROUP, type Reconciled, reconciled } from '../../kube/rbac/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { StatusError } from '../../kube/status.ts'
import { CLOUD_GROUP } from '../../serving/access/authorization.ts'
import { apiVersionOf, keyOf, resourceOf } from '../../serving/objects/registry.ts'
import { type ApiContext, systemChange } from '../rest/context.ts'
import { createObject } from '../rest/create.ts'
import { removeObject } from '../rest/remove.ts'
import { updateObject } from '../rest/update.ts'

/** Made as a whole at each start: nobody adds to the rights of the product's own parts by the way. */
const EXACT = 'skerry:'
const CLUSTER_ROLES = `${RBAC_GROUP}/clusterroles`
const DEEPEST = 8

/** Gives the API the roles and bindings that it starts with, and those of the cloud half, or what they lack. */
export async function installAccess(api: ApiContext, signal: AbortSignal): Promise<void> {
  for (const name of [CLOUD_NAMESPACE, 'kube-system']) {
    await createMissing(api, 'v1', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, signal)
  }
  const own = [...cloudAccess({ kind: 'Group', name: CLOUD_GROUP }), ...kubeletClientAccess()].filter(isApiObject)
  await Promise.all([...DEFAULT_ACCESS, ...own].map((object) => install(api, object, signal)))
  await aggregateAll(api, signal)
}

/** Aggregated roles may select each other, and only so deep. */
async function aggregateAll(api: ApiContext, signal: AbortSignal): Promise<void> {
  for (let round = 0; round < DEEPEST; round++) {
    const roles = api.store.list(CLUSTER_ROLES).map(([, role]) => role)
    const behind = roles.filter((role) => aggregated(role, roles) !== role)
    if (behind.length === 0) return
    for (const role of behind) await aggregateRole(api, nameOf(role), signal)
  }
}

/** Gives an aggregated ClusterRole the rules of those that it selects now. */
export async function aggregateRole(api: ApiContext, name: string, signal: AbortSignal): Promise<void> {
  const definition = api.registry.find(RBAC_GROUP, 'v1', 'clusterroles')
  if (!definition) return
  const resource = resourceOf(definition)
  const propose = (current: ApiObject) =>
    aggregated(
      current,
      api.store.list(resource).map(([, role]) => role),
    )
  const present = api.store.get(resource, keyOf('', name))
  if (!present || propose(present) === present) return
  await updateObject(api, systemChange(definition, '', signal), { name, subresource: '' }, { propose })
}

async function install(api: ApiContext, object: ApiObject, signal: AbortSignal): Promise<void> {
  const definition = api.registry.findKind(object.apiVersion, object.kind)
  if (!definition) return
  const [namespace, name] = [namespaceOf(object), nameOf(object)]
  const present = api.store.get(resourceOf(definition), keyOf(namespace, name))
  const change = systemChange(definition, namespace, signal)
  if (!present) return await createMissing(api, apiVersionOf(definition), object, signal)
  const plan: Reconciled = reconciled(object, present, name.startsWith(EXACT))
  if (plan.kind === 'same') return
  if (plan.kind === 'change') {
    await updateObject(api, change, { name, subresource: '' }, { propose: () => plan.object })
    return
  }
  await removeObject(api, change, name, { propagation: 'Background', uid: '', resourceVersion: '' })
  await createMissing(api, apiVersionOf(definition), object, signal)
}

async function createMissing(
  api: ApiContext,
  apiVersion: string,
  object: ApiObject,
  signal: AbortSignal,
): Promise<void> {
  const definition = api.registry.findKind(apiVersion, object.kind)
  if (!definition) return
  if (api.store.get(resourceOf(definition), keyOf(namespaceOf(object), nameOf(object)))) return
  try {
    await createObject(api, systemChange(definition, namespaceOf(object), signal), object)
  } catch (error) {
    if (!(error instanceof StatusError) || error.status.reason !== 'AlreadyExists') throw error
  }
}
