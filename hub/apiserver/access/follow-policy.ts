import { type AccessResource, Policy, RBAC_GROUP } from '../../kube/rbac/index.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { ACCESS_RESOURCES } from './access-kinds.ts'

const BY_RESOURCE = new Map<string, AccessResource>(ACCESS_RESOURCES.map((each) => [`${RBAC_GROUP}/${each}`, each]))

/** The policy that the store's roles and bindings make, kept as they change until disposed. */
export function followPolicy(store: ObjectStore): { readonly policy: Policy } & Disposable {
  const policy = new Policy()
  for (const [resource, plural] of BY_RESOURCE) {
    for (const [, object] of store.list(resource)) policy.put(plural, object)
  }
  const subscription = store.onChange((resource, { key, after }) => {
    const plural = BY_RESOURCE.get(resource)
    if (!plural) return
    const [namespace = '', name = ''] = key.split('/')
    if (after) policy.put(plural, after)
    else policy.remove(plural, namespace, name)
  })
  return { policy, [Symbol.dispose]: () => subscription[Symbol.dispose]() }
}
