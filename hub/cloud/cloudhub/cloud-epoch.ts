import type { Random } from '../../../platform/time/index.ts'
import { SYSTEM_NAMESPACE } from '../authority/secrets.ts'
import { textsOf } from '../kubernetes/guards.ts'
import { CONFIG_MAPS, type Kubernetes, reasonOfError } from '../kubernetes/index.ts'

/** ConfigMap of namespace `kubeedge`; whoever deletes it has every edge tell everything again after the next start. */
const NAME = 'skerry-cloud'
const KEY = 'epoch'
const INCARNATION = 'incarnation'

export interface CloudEpochPorts {
  readonly kubernetes: Kubernetes
  readonly random: Random
  /** Of the database behind the API, where that is known; another one than last time means that a backup was put back. */
  readonly incarnation?: number
}

/**
 * Identity of what the cloud remembers: made once and kept in the Kubernetes API, because that is where the memory is. An
 * API that was set up anew, or went back to a backup, has another one. Replicas that start together end up with the same.
 */
export async function openCloudEpoch(
  { kubernetes, random, incarnation = 0 }: CloudEpochPorts,
  signal: AbortSignal,
): Promise<string> {
  const at = { namespace: SYSTEM_NAMESPACE, name: NAME }
  for (let attempt = 0; ; attempt++) {
    const present = await kubernetes.get(CONFIG_MAPS, at, signal)
    const known = textsOf(present && Reflect.get(present, 'data'))
    const isSame = (known[INCARNATION] ?? '0') === String(incarnation)
    if (known[KEY] && isSame) return known[KEY]
    const data = { [KEY]: random.uuid(), [INCARNATION]: String(incarnation) }
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
