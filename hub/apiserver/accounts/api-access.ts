import type { Json, JsonObject } from '../../../schemas/index.ts'
import { arrayAt, isJsonObject, textAt } from '../../kube/object/index.ts'

const PREFIX = 'kube-api-access-'
const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount'
/** An hour, and what kubelets take for the way. */
const TOKEN_SECONDS = 3607

/**
 * The spec of a pod with what its containers need to reach the API: a token, the authority of the API and the namespace, mounted
 * where clients look for them, unless a container has something there already. As Kubernetes' ServiceAccount admission does it.
 */
export function withApiAccess(spec: JsonObject, suffix: string): JsonObject {
  const volumes = arrayAt(spec, 'volumes')
  const present = volumes.map(nameOf).find((name) => name.startsWith(PREFIX))
  const name = present ?? `${PREFIX}${suffix}`
  const lists = Object.fromEntries(
    ['initContainers', 'containers'].flatMap((list) => {
      const containers = arrayAt(spec, list)
      return containers.length === 0 ? [] : [[list, containers.map((container) => mounted(container, name))] as const]
    }),
  )
  const isNeeded = ['initContainers', 'containers'].some((list) =>
    lists[list]?.some((each, at) => each !== arrayAt(spec, list)[at]),
  )
  if (!isNeeded) return spec
  return { ...spec, ...lists, ...(present === undefined ? { volumes: [...volumes, volume(name)] } : {}) }
}

function mounted(container: Json, name: string): Json {
  if (!isJsonObject(container)) return container
  const mounts = arrayAt(container, 'volumeMounts')
  if (mounts.some((mount) => isJsonObject(mount) && textAt(mount, 'mountPath') === MOUNT_PATH)) return container
  return { ...container, volumeMounts: [...mounts, { name, readOnly: true, mountPath: MOUNT_PATH }] }
}

function volume(name: string): JsonObject {
  const namespace = { path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }
  const sources: readonly JsonObject[] = [
    { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: 'token' } },
    { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
    { downwardAPI: { items: [namespace] } },
  ]
  return { name, projected: { defaultMode: 0o644, sources } }
}

/** Whether pods get a token: as they say, else as their account says. */
export function isMounted(spec: JsonObject, account: JsonObject | undefined): boolean {
  const own = spec['automountServiceAccountToken'] ?? account?.['automountServiceAccountToken']
  return own !== false
}

function nameOf(volume: Json): string {
  return isJsonObject(volume) ? textAt(volume, 'name') : ''
}
