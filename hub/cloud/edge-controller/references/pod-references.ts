import { isRecord } from '../../kubernetes/guards.ts'
import type { AnyObject } from '../../kubernetes/index.ts'

/** Kubernetes' mark of a pod that a node made from a file of its own. */
const MIRROR = 'kubernetes.io/config.mirror'

/** What a pod needs besides its own object: names in its namespace. */
export interface PodReferences {
  readonly configMaps: ReadonlySet<string>
  readonly secrets: ReadonlySet<string>
  readonly claims: ReadonlySet<string>
  readonly serviceAccount: string
}

type Fields = Readonly<Record<string, unknown>>

/**
 * A node makes such pods in any namespace, as it likes: they give it no right to anything there, as under Kubernetes' Node
 * authorizer, not even to what comes with the service account `default`.
 */
export function isMirror({ metadata }: AnyObject): boolean {
  return metadata.annotations?.[MIRROR] !== undefined
}

/** Everything that the spec of a pod names: volumes of each kind, projections, environments, pull secrets. */
export function referencesOf(pod: AnyObject): PodReferences {
  const spec = fieldsOf(pod.spec)
  const found = { configMaps: new Set<string>(), secrets: new Set<string>(), claims: new Set<string>() }
  for (const volume of listIn(spec, 'volumes')) readVolume(volume, pod.metadata.name, found)
  for (const list of ['initContainers', 'containers', 'ephemeralContainers']) {
    for (const container of listIn(spec, list)) readContainer(container, found)
  }
  for (const secret of listIn(spec, 'imagePullSecrets')) add(found.secrets, secret['name'])
  const account = spec['serviceAccountName'] || spec['serviceAccount']
  return { ...found, serviceAccount: typeof account === 'string' && account !== '' ? account : 'default' }
}

/** Names of the secrets that a service account brings its pods. */
export function secretsOfAccount(account: AnyObject): ReadonlySet<string> {
  const names = new Set<string>()
  const fields = fieldsOf(account)
  for (const list of ['imagePullSecrets', 'secrets'])
    for (const secret of listIn(fields, list)) add(names, secret['name'])
  return names
}

interface Found {
  readonly configMaps: Set<string>
  readonly secrets: Set<string>
  readonly claims: Set<string>
}

function readVolume(volume: Fields, pod: string, found: Found): void {
  add(found.configMaps, fieldsOf(volume['configMap'])['name'])
  add(found.claims, fieldsOf(volume['persistentVolumeClaim'])['claimName'])
  // The claim that Kubernetes makes for an ephemeral volume has this name.
  if (isRecord(volume['ephemeral'])) add(found.claims, `${pod}-${String(volume['name'])}`)
  for (const source of listIn(fieldsOf(volume['projected']), 'sources')) {
    add(found.configMaps, fieldsOf(source['configMap'])['name'])
    add(found.secrets, fieldsOf(source['secret'])['name'])
  }
  for (const source of Object.values(volume)) {
    const fields = fieldsOf(source)
    // `secret` and `azureFile`; then `cephfs`, `flexVolume`, `iscsi`, `rbd`, `scaleIO`, `storageos`; then `csi`.
    add(found.secrets, fields['secretName'])
    add(found.secrets, fieldsOf(fields['secretRef'])['name'])
    add(found.secrets, fieldsOf(fields['nodePublishSecretRef'])['name'])
  }
}

function readContainer(container: Fields, found: Found): void {
  for (const variable of listIn(container, 'env')) {
    const from = fieldsOf(variable['valueFrom'])
    add(found.configMaps, fieldsOf(from['configMapKeyRef'])['name'])
    add(found.secrets, fieldsOf(from['secretKeyRef'])['name'])
  }
  for (const source of listIn(container, 'envFrom')) {
    add(found.configMaps, fieldsOf(source['configMapRef'])['name'])
    add(found.secrets, fieldsOf(source['secretRef'])['name'])
  }
}

function add(names: Set<string>, name: unknown): void {
  if (typeof name === 'string' && name !== '') names.add(name)
}

function fieldsOf(value: unknown): Fields {
  return isRecord(value) ? value : {}
}

function listIn(fields: Fields, name: string): readonly Fields[] {
  const list = fields[name]
  return Array.isArray(list) ? list.filter(isRecord) : []
}
