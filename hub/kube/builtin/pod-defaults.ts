import { type Json, type JsonObject, quantityOr, quantityText } from '../../../schemas/index.ts'
import type { ApiObject } from '../resource.ts'
import { at, isJsonArray, isJsonObject } from '../schema/json.ts'

/** 0644, as JSON writes it. */
const FILE_MODE = 420
/** Seconds that a token of a volume is good for. */
const TOKEN_SECONDS = 3600
/** Thousandths, in billionths: no container asks for less. */
const FINEST = 1_000_000n
const CONTAINER_LISTS = ['initContainers', 'containers', 'ephemeralContainers'] as const
const PROBES = ['livenessProbe', 'readinessProbe', 'startupProbe'] as const
const HOOKS = ['postStart', 'preStop'] as const

/** A Pod with what Kubernetes fills in where its author says nothing. */
export function defaultPod(pod: ApiObject): ApiObject {
  const given = pod['spec']
  if (!isJsonObject(given)) return pod
  return { ...pod, spec: { ...defaultSpec(given, 'Pod'), enableServiceLinks: given['enableServiceLinks'] ?? true } }
}

/**
 * The template of pods inside of another object. What only pods get is left out, as it would make a new revision of each
 * template that was stored before.
 */
export function defaultPodTemplate(template: Json | undefined): JsonObject {
  if (!isJsonObject(template)) return { metadata: {}, spec: {} }
  const { creationTimestamp: _never, ...metadata } = isJsonObject(template['metadata']) ? template['metadata'] : {}
  const spec = isJsonObject(template['spec']) ? template['spec'] : {}
  return { ...template, metadata, spec: defaultSpec(spec, 'template') }
}

type Home = 'Pod' | 'template'

function defaultSpec(given: JsonObject, home: Home): JsonObject {
  const spec: Record<string, Json> = {
    ...given,
    restartPolicy: given['restartPolicy'] ?? 'Always',
    terminationGracePeriodSeconds: given['terminationGracePeriodSeconds'] ?? 30,
    dnsPolicy: given['dnsPolicy'] ?? 'ClusterFirst',
    securityContext: given['securityContext'] ?? {},
    schedulerName: given['schedulerName'] ?? 'default-scheduler',
  }
  const isHostNetwork = given['hostNetwork'] === true && home === 'Pod'
  for (const key of CONTAINER_LISTS) {
    if (isJsonArray(given[key])) spec[key] = given[key].map((each) => defaultContainer(each, isHostNetwork, home))
  }
  if (isJsonArray(given['volumes'])) spec['volumes'] = given['volumes'].map(defaultVolume)
  const account = given['serviceAccountName'] ?? given['serviceAccount']
  if (account !== undefined) Object.assign(spec, { serviceAccountName: account, serviceAccount: account })
  return spec
}

/** All pods are of the same priority where there are no classes of them. */
export function withPriority(pod: ApiObject): ApiObject {
  const spec = pod['spec']
  if (!isJsonObject(spec)) return pod
  const { priority = 0, preemptionPolicy = 'PreemptLowerPriority' } = spec
  return { ...pod, spec: { ...spec, priority, preemptionPolicy } }
}

/** Guaranteed, Burstable or BestEffort, by the CPU and memory that the containers ask for. */
export function qosClass(pod: ApiObject): string {
  const containers = ['initContainers', 'containers'].flatMap((key) => list(at(pod, 'spec', key)))
  const asks = containers.flatMap((each) =>
    ['cpu', 'memory'].map((name) => {
      const limit = quantityOr(at(each, 'resources', 'limits', name))
      return { limit, request: quantityOr(at(each, 'resources', 'requests', name), limit) }
    }),
  )
  if (asks.every(({ limit, request }) => limit <= 0n && request <= 0n)) return 'BestEffort'
  return asks.every(({ limit, request }) => limit > 0n && limit === request) ? 'Guaranteed' : 'Burstable'
}

function defaultContainer(container: Json, isHostNetwork: boolean, home: Home): Json {
  if (!isJsonObject(container)) return container
  const image = container['image']
  const result: Record<string, Json> = {
    ...container,
    terminationMessagePath: container['terminationMessagePath'] ?? '/dev/termination-log',
    terminationMessagePolicy: container['terminationMessagePolicy'] ?? 'File',
    imagePullPolicy:
      container['imagePullPolicy'] ?? (typeof image === 'string' && isMoving(image) ? 'Always' : 'IfNotPresent'),
    resources: defaultResources(container['resources'], home),
  }
  if (isJsonArray(container['ports']))
    result['ports'] = container['ports'].map((port) => defaultPort(port, isHostNetwork))
  if (isJsonArray(container['env'])) result['env'] = container['env'].map(defaultVariable)
  for (const key of PROBES) {
    if (isJsonObject(container[key])) result[key] = defaultProbe(container[key])
  }
  if (isJsonObject(container['lifecycle'])) result['lifecycle'] = defaultLifecycle(container['lifecycle'])
  return result
}

/** The tag says nothing, or `latest`: what is behind it may change. A digest never does. */
function isMoving(image: string): boolean {
  if (image.includes('@')) return false
  const name = image.slice(image.lastIndexOf('/') + 1)
  const tag = name.includes(':') ? name.slice(name.indexOf(':') + 1) : 'latest'
  return tag === 'latest'
}

function defaultResources(resources: Json | undefined, home: Home): JsonObject {
  if (!isJsonObject(resources)) return {}
  const limits = texts(resources['limits'])
  const given = texts(resources['requests'])
  const requests = home === 'Pod' && (limits || given) ? { ...limits, ...given } : given
  return {
    ...resources,
    ...(limits ? { limits } : {}),
    ...(requests ? { requests } : {}),
  }
}

/** Quantities are stored as text, in one form. */
function texts(quantities: Json | undefined): JsonObject | undefined {
  if (!isJsonObject(quantities)) return undefined
  return Object.fromEntries(Object.entries(quantities).map(([name, value]) => [name, quantityText(value, FINEST)]))
}

function defaultPort(port: Json, isHostNetwork: boolean): Json {
  if (!isJsonObject(port)) return port
  const hostPort = isHostNetwork ? (port['hostPort'] ?? port['containerPort']) : port['hostPort']
  return { ...port, ...(hostPort === undefined ? {} : { hostPort }), protocol: port['protocol'] ?? 'TCP' }
}

function defaultVariable(variable: Json): Json {
  if (!isJsonObject(variable) || !isJsonObject(variable['valueFrom'])) return variable
  return { ...variable, valueFrom: withFieldVersion(variable['valueFrom']) }
}

/** What names a field of the pod says by which version of pods. */
function withFieldVersion(owner: Json): Json {
  const reference = at(owner, 'fieldRef')
  if (!isJsonObject(owner) || !isJsonObject(reference)) return owner
  return { ...owner, fieldRef: { apiVersion: 'v1', ...reference } }
}

function defaultLifecycle(lifecycle: JsonObject): JsonObject {
  const result: Record<string, Json> = { ...lifecycle }
  for (const key of HOOKS) {
    const hook = lifecycle[key]
    if (isJsonObject(hook)) result[key] = withRequest(hook)
  }
  return result
}

function withRequest(handler: JsonObject): JsonObject {
  const { httpGet, grpc } = handler
  return {
    ...handler,
    ...(isJsonObject(httpGet) ? { httpGet: { path: '/', scheme: 'HTTP', ...httpGet } } : {}),
    ...(isJsonObject(grpc) ? { grpc: { service: '', ...grpc } } : {}),
  }
}

function defaultProbe(probe: JsonObject): JsonObject {
  return {
    ...withRequest(probe),
    timeoutSeconds: probe['timeoutSeconds'] ?? 1,
    periodSeconds: probe['periodSeconds'] ?? 10,
    successThreshold: probe['successThreshold'] ?? 1,
    failureThreshold: probe['failureThreshold'] ?? 3,
  }
}

function defaultVolume(volume: Json): Json {
  if (!isJsonObject(volume)) return volume
  const sources = Object.keys(volume).filter((key) => key !== 'name')
  if (sources.length === 0) return { ...volume, emptyDir: {} }
  const result: Record<string, Json> = { ...volume }
  for (const key of ['configMap', 'secret', 'projected', 'downwardAPI']) {
    const source = volume[key]
    if (isJsonObject(source)) result[key] = { ...withFiles(source), defaultMode: source['defaultMode'] ?? FILE_MODE }
  }
  const { emptyDir } = volume
  if (isJsonObject(emptyDir) && emptyDir['sizeLimit'] !== undefined)
    result['emptyDir'] = { ...emptyDir, sizeLimit: quantityText(emptyDir['sizeLimit']) }
  if (isJsonObject(volume['hostPath'])) result['hostPath'] = { type: '', ...volume['hostPath'] }
  return result
}

function withFiles(source: JsonObject): JsonObject {
  const { items, sources } = source
  return {
    ...source,
    ...(isJsonArray(items) ? { items: items.map(withFieldVersion) } : {}),
    ...(isJsonArray(sources) ? { sources: sources.map(defaultProjection) } : {}),
  }
}

function defaultProjection(projection: Json): Json {
  if (!isJsonObject(projection)) return projection
  const { downwardAPI, serviceAccountToken: token } = projection
  return {
    ...projection,
    ...(isJsonObject(downwardAPI) ? { downwardAPI: withFiles(downwardAPI) } : {}),
    ...(isJsonObject(token) ? { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, ...token } } : {}),
  }
}

function list(value: Json | undefined): readonly Json[] {
  return isJsonArray(value) ? value : []
}
