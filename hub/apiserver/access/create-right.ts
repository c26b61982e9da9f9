import { refusal } from '../../kube/rbac/index.ts'
import type { Authorizer } from '../../serving/access/authorization.ts'
import type { Admitter } from '../rest/context.ts'

/** Whoever makes an object needs the right to create it, also where a request of another verb makes it (server-side apply). */
export function createRight(authorize: Authorizer): Admitter {
  return {
    async mutate() {
      return undefined
    },
    async validate({ operation, definition, subresource, namespace, name, user }) {
      if (operation !== 'CREATE') return
      const { group, version, plural } = definition
      const resource = { group, version, plural, subresource, namespace, name }
      const attributes = { verb: 'create', path: '', resource }
      const decision = authorize(user, attributes)
      if (!decision.allowed) throw refusal(user, attributes, decision.reason)
    },
  }
}
