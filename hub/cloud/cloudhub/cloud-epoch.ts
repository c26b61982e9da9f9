import type { Random } from '../../../platform/time/index.ts'
import { SYSTEM_NAMESPACE } from '../authority/secrets.ts'
import { textsOf } from '../kubernetes/guards.ts'
import { CONFIG_MAPS, type Kubernetes, reasonOfError } from '../kubernetes/index.ts'

/** ConfigMap of namespace `kubeedge`; whoever deletes it has every edge tell everything again after the next start. */
const NAME = 'skerry-cloud'
const KEY = 'epoch'

/**
 * Identity of what the cloud remembers: made once and kept in the Kubernetes API, because that is where the memory is. An
 * API that was set up anew has another one. Replicas that start together end up with the same.
 */
export async function openCloudEpoch(
  { kubernetes, random }: { readonly kubernetes: Kubernetes; readonly random: Random },
  signal: AbortSignal,
): Promise<string> {
  const at = { namespace: SYSTEM_NAMESPACE, name: NAME }
  for (let attempt = 0; ; attempt++) {
    const present = await kubernetes.get(CONFIG_MAPS, at, signal)
    const known = present && textsOf(Reflect.get(present, 'data'))[KEY]
    if (known) return known
    const data = { [KEY]: random.uuid() }
    try {
      if (present) await kubernetes.patch(CONFIG_MAPS, at, withVersion(present, data), { type: 'merge' }, signal)
      else await kubernetes.create(CONFIG_MAPS, at.namespace, made(data), signal)
      return data[KEY]
    } catch (error) {
      const reason = reasonOfError(error)
      if (attempt >= 5 || (reason !== 'AlreadyExists' && reason !== 'Conflict')) throw error
    }
  }
}

function made(data: object): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: NAME, namespace: SYSTEM_NAMESPACE }, data }
}

/** Only where nobody else wrote it meanwhile. */
function withVersion({ metadata }: { readonly metadata: { readonly resourceVersion?: string } }, data: object): object {
  return { metadata: { resourceVersion: metadata.resourceVersion }, data }
}
