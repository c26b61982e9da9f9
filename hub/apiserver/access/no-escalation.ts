import { type Policy, RBAC_GROUP, refuseEscalation } from '../../kube/rbac/index.ts'
import { forbidden, notFound } from '../../kube/status.ts'
import type { Admitter } from '../rest/context.ts'
import { type Authorizer, isAdministrator } from '../serving/authorization.ts'
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
      if (refused) throw missing(refused.role)
      return undefined
    },
    async validate() {},
  }
}

function missing({ kind, name }: { readonly kind: string; readonly name: string }): Error {
  return notFound({ group: RBAC_GROUP, plural: kind.toLowerCase() }, name)
}
