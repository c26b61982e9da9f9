import type { Attributes, Decision, Policy } from '../../kube/rbac/index.ts'
import type { User } from '../user.ts'

/** Decides about every request that is not about the server's health. */
export type Authorizer = (user: User, attributes: Attributes) => Decision

/** The group of the cloud half's own certificate. */
export const CLOUD_GROUP = 'skerry:cloud'
export const ADMIN_GROUP = 'system:masters'

/** They may do everything, whatever becomes of the roles: so nobody can lock himself out. */
export function isAdministrator({ groups }: Pick<User, 'groups'>): boolean {
  return groups.includes(ADMIN_GROUP)
}

/** Administrators, then whoever a role admits. */
export function authorizeByRoles(policy: Policy): Authorizer {
  return (user, attributes) => (isAdministrator(user) ? { allowed: true, reason: '' } : policy.decide(user, attributes))
}
