import { type Attributes, type Decision, EVERYBODY } from '../../../kube/rbac/index.ts'
import type { Authorizer } from '../../../serving/access/authorization.ts'
import type { User } from '../../../serving/user.ts'
import type { NodeAccess } from './node-access.ts'

/** Group of the people of this node: they have its disk, and so all that is on it. */
export const OPERATORS = 'skerry:node-operators'

/** Who may do what with what this node holds. */
export interface Rights {
  /** Undefined: only the cloud knows. */
  decide(user: User, attributes: Attributes): Decision | undefined
  /** Before it is known what a request is about: what is said of the API, and acting as somebody else. */
  readonly authorize: Authorizer
  /** The same where pods come in: nothing for whoever has not shown who he is. */
  readonly authorizePod: Authorizer
}

const REFUSED: Decision = { allowed: false, reason: '' }

/**
 * Operators of the node may do everything with what it holds. Service accounts have the rights that were synchronised. Whoever has shown
 * who he is may know what is served; others get nothing but health and version.
 */
export function nodeRights(access: Pick<NodeAccess, 'decide'>): Rights {
  const isKnown = ({ groups }: User) => groups.includes(EVERYBODY)
  return {
    authorizePod: (user, { verb }) => (verb !== 'impersonate' && isKnown(user) ? ALLOWED : REFUSED),
    decide: (user, attributes) => (isOperator(user) ? ALLOWED : access.decide(user, attributes)),
    authorize(user, { verb, path, resource }) {
      if (isOperator(user)) return ALLOWED
      if (verb === 'impersonate') return REFUSED
      const isVersion = !resource && verb === 'get' && path === '/version'
      // What is asked of objects is decided where it is known who holds them.
      return isKnown(user) || isVersion ? ALLOWED : REFUSED
    },
  }
}

const ALLOWED: Decision = { allowed: true, reason: '' }

export function isOperator({ groups }: Pick<User, 'groups'>): boolean {
  return groups.includes(OPERATORS)
}
