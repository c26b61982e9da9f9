import { type AccessResource, RBAC_GROUP } from '../../kube/rbac/index.ts'

export const ACCESS_RESOURCES: readonly AccessResource[] = [
  'clusterroles',
  'clusterrolebindings',
  'roles',
  'rolebindings',
]

/** Nothing for a resource that says nothing of rights. */
export function accessResource(group: string, plural: string): AccessResource | undefined {
  return group === RBAC_GROUP ? ACCESS_RESOURCES.find((each) => each === plural) : undefined
}
