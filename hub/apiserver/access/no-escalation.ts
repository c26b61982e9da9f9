import { type Policy, refuseEscalation } from '../../kube/rbac/index.ts'
import { forbidden, notFound } from '../../kube/status.ts'
import { type Authorizer, isAdministrator } from '../../serving/access/authorization.ts'
import type { Admitter } from '../rest/context.ts'
import { accessResource } from './access-kinds.ts'

/**
 * Nobody gives rights that he does not hold. The last that may change an object, so that it sees what other admission made of it;
 * before its fields are checked, as in Kubernetes.
 */
export function noEscalation(policy: Policy, authorize: Authorizer): Admitter {
  return {
    async mutate({ operation, definition, subresource, namespace, name, object, before, user }) {
      const resource = accessResource(definition.group, definition.plural)
      if (!resource || !object || subresource !== '' || operation === 'DELETE' || isAdministrator(user))
        return undefined
      const change = { resource, namespace, name: operation === 'CREATE' ? '' : name, object, before }
      const refused = refuseEscalation(policy, user, change, (right) => authorize(user, right).allowed)
      if (refused?.kind === 'forbidden') throw forbidden(definition, name, refused.why)
      // In Kubernetes' words, too: of this kind, with the name of the role.
      if (refused) throw notFound(definition, refused.role.name)
      return undefined
    },
    async validate() {},
  }
}
