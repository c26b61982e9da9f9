import type { Random } from '../../../platform/time/index.ts'
import { arrayAt, objectAt, textAt, withContent } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { forbidden } from '../../kube/status.ts'
import { keyOf, resourceOf } from '../../serving/objects/registry.ts'
import type { Admitter } from '../rest/context.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { isMounted, withApiAccess } from './api-access.ts'

const MIRROR = 'kubernetes.io/config.mirror'
const DEFAULT = 'default'

/**
 * A pod runs under a service account: the one that it names, which has to be there, else `default` of its namespace. It has the
 * pull secrets of it unless it brings its own, and a volume with its token, unless it or the account wants none.
 */
export function podAccount(store: ObjectStore, random: Random): Admitter {
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
      return under(object, { account, found, suffix: suffixFrom(random) })
    },
    async validate() {},
  }
}

/** Kubernetes' letters for made names: none of them makes a word. */
const LETTERS = 'bcdfghjklmnpqrstvwxz2456789'

function suffixFrom(random: Random): string {
  return [...random.bytes(5)].map((byte) => LETTERS.charAt(byte % LETTERS.length)).join('')
}

interface Under {
  readonly account: string
  readonly found: ApiObject | undefined
  readonly suffix: string
}

function under(pod: ApiObject, { account, found, suffix }: Under): ApiObject {
  const spec = objectAt(pod, 'spec')
  const own = arrayAt(spec, 'imagePullSecrets')
  const brought = found ? arrayAt(found, 'imagePullSecrets') : []
  const pull = own.length === 0 && brought.length > 0 ? { imagePullSecrets: brought } : {}
  const named = { ...spec, serviceAccountName: account, serviceAccount: account, ...pull }
  return withContent(pod, { spec: isMounted(spec, found) ? withApiAccess(named, suffix) : named })
}
