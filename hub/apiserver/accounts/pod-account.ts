import { arrayAt, objectAt, textAt, withContent } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { forbidden } from '../../kube/status.ts'
import { keyOf, resourceOf } from '../../serving/objects/registry.ts'
import type { Admitter } from '../rest/context.ts'
import type { ObjectStore } from '../storage/object-store.ts'

const MIRROR = 'kubernetes.io/config.mirror'
const DEFAULT = 'default'

/**
 * A pod runs under a service account: the one that it names, which has to be there, else `default` of its namespace, and has the
 * pull secrets of it unless it brings its own. No volume with a token is added: a pod on a gateway does not reach this API, and
 * would wait for the cloud to begin.
 */
export function podAccount(store: ObjectStore): Admitter {
  return {
    async mutate({ operation, definition, subresource, namespace, name, object }) {
      if (operation !== 'CREATE' || subresource !== '' || resourceOf(definition) !== '/pods' || !object)
        return undefined
      // What a node runs from a file of its own has no account.
      if (objectAt(object.metadata, 'annotations')[MIRROR] !== undefined) return undefined
      const spec = objectAt(object, 'spec')
      const account = textAt(spec, 'serviceAccountName') || textAt(spec, 'serviceAccount') || DEFAULT
      const found = store.get('/serviceaccounts', keyOf(namespace, account))
      // That of a new namespace is on its way.
      if (!found && account !== DEFAULT) {
        const why = `error looking up service account ${namespace}/${account}: serviceaccount "${account}" not found`
        throw forbidden(definition, name, why)
      }
      return under(object, account, found)
    },
    async validate() {},
  }
}

function under(pod: ApiObject, account: string, found: ApiObject | undefined): ApiObject {
  const spec = objectAt(pod, 'spec')
  const own = arrayAt(spec, 'imagePullSecrets')
  const brought = found ? arrayAt(found, 'imagePullSecrets') : []
  const pull = own.length === 0 && brought.length > 0 ? { imagePullSecrets: brought } : {}
  return withContent(pod, { spec: { ...spec, serviceAccountName: account, serviceAccount: account, ...pull } })
}
