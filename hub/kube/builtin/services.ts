import type { Json, JsonObject } from '../../../schemas/index.ts'
import type { ApiObject } from '../resource.ts'
import {
  child,
  duplicate,
  type FieldError,
  forbidden,
  index,
  invalid,
  notSupported,
  required,
} from '../schema/field-error.ts'
import { at, isJsonArray, isJsonObject, isSame } from '../schema/json.ts'
import { dnsLabel } from '../schema/names.ts'
import type { KindRules } from './kind-rules.ts'

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const AFFINITIES = ['ClientIP', 'None']
const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
/** Seconds for which a client comes to the same endpoint. */
const AFFINITY_SECONDS = 10_800

/** Services are objects only: nothing here forwards a packet to an address of theirs. */
export const SERVICE_RULES: KindRules = {
  defaults: defaultService,
  onCreate: (service) => ({ ...withFamilies(service), status: { loadBalancer: {} } }),
  onUpdate: (service, old) => withFamilies(keepAllocated(withoutOfType(service, old), old)),
  validate: serviceErrors,
}

function defaultService(service: ApiObject): ApiObject {
  const given = service['spec']
  if (!isJsonObject(given)) return service
  const type = given['type'] ?? 'ClusterIP'
  const isAlias = type === 'ExternalName'
  const affinity = given['sessionAffinity'] ?? 'None'
  return {
    ...service,
    spec: {
      ...given,
      type,
      sessionAffinity: affinity,
      ...(affinity === 'ClientIP'
        ? {
            sessionAffinityConfig: given['sessionAffinityConfig'] ?? { clientIP: { timeoutSeconds: AFFINITY_SECONDS } },
          }
        : {}),
      ...(isAlias ? {} : { internalTrafficPolicy: given['internalTrafficPolicy'] ?? 'Cluster' }),
      ...(isAlias || type === 'ClusterIP'
        ? {}
        : { externalTrafficPolicy: given['externalTrafficPolicy'] ?? 'Cluster' }),
      ...(type === 'LoadBalancer'
        ? { allocateLoadBalancerNodePorts: given['allocateLoadBalancerNodePorts'] ?? true }
        : {}),
      ...(isJsonArray(given['ports']) ? { ports: given['ports'].map(defaultPort) } : {}),
    },
  }
}

/** What the author left open of addresses is the server's to say, and not the author's own then. */
function withFamilies(service: ApiObject): ApiObject {
  const spec = service['spec']
  if (!isJsonObject(spec) || spec['type'] === 'ExternalName') return service
  const { clusterIP, clusterIPs, ipFamilies, ipFamilyPolicy } = spec
  const addresses = clusterIPs ?? (typeof clusterIP === 'string' && clusterIP !== '' ? [clusterIP] : undefined)
  // Who has neither addresses nor endpoints of the cluster's own may have some of any family.
  const isAny = clusterIP === 'None' && spec['selector'] === undefined && ipFamilies === undefined
  return {
    ...service,
    spec: {
      ...spec,
      ...(addresses === undefined ? {} : { clusterIPs: addresses }),
      ipFamilies: ipFamilies ?? (isAny ? ['IPv4', 'IPv6'] : ['IPv4']),
      ipFamilyPolicy: ipFamilyPolicy ?? (isAny ? 'RequireDualStack' : 'SingleStack'),
    },
  }
}

function defaultPort(port: Json): Json {
  if (!isJsonObject(port)) return port
  const number = port['port'] ?? 0
  return { ...port, protocol: port['protocol'] ?? 'TCP', targetPort: port['targetPort'] ?? number }
}

/** What belongs to the type goes with it, where a change names it as it was; what else it names is refused. */
function withoutOfType(service: ApiObject, old: ApiObject): ApiObject {
  const spec = service['spec']
  const before = old['spec']
  if (!isJsonObject(spec) || !isJsonObject(before) || isOutside(spec) || !isOutside(before)) return service
  const was = new Map(list(before['ports']).map((port) => [at(port, 'nodePort'), true]))
  const ports = list(spec['ports'])
  const isUntouched = ports.every((port) => at(port, 'nodePort') === undefined || was.has(at(port, 'nodePort')))
  const { externalTrafficPolicy, healthCheckNodePort, allocateLoadBalancerNodePorts, ...rest } = spec
  const changed = { externalTrafficPolicy, healthCheckNodePort, allocateLoadBalancerNodePorts }
  const named = Object.entries(changed).filter(([key, value]) => value !== undefined && !isSame(value, before[key]))
  const shown = isUntouched && spec['ports'] !== undefined ? { ports: ports.map(withoutNodePort) } : {}
  return { ...service, spec: { ...rest, ...Object.fromEntries(named), ...shown } }
}

function isOutside({ type }: JsonObject): boolean {
  return type === 'NodePort' || type === 'LoadBalancer'
}

function withoutNodePort(port: Json): Json {
  if (!isJsonObject(port)) return port
  const { nodePort: _gone, ...rest } = port
  return rest
}

/** A change that does not name what was allocated means what there is. */
function keepAllocated(service: ApiObject, old: ApiObject): ApiObject {
  const spec = service['spec']
  const before = old['spec']
  if (!isJsonObject(spec) || !isJsonObject(before) || spec['type'] === 'ExternalName') return service
  const address = spec['clusterIP']
  const isNamed = typeof address === 'string' && address !== ''
  const families = partOf(before, ['ipFamilies', 'ipFamilyPolicy'])
  const addresses = isNamed ? {} : partOf(before, ['clusterIP', 'clusterIPs'])
  return { ...service, spec: { ...families, ...spec, ...addresses } }
}

function partOf(spec: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(keys.flatMap((key) => (spec[key] === undefined ? [] : [[key, spec[key]]])))
}

function serviceErrors(service: ApiObject, old: ApiObject | undefined): readonly FieldError[] {
  const spec = service['spec']
  if (!isJsonObject(spec)) return [required('spec.ports')]
  const { type, sessionAffinity, clusterIP } = spec
  const ports = list(spec['ports'])
  const needsPorts = type !== 'ExternalName' && clusterIP !== 'None'
  const before = at(old, 'spec', 'clusterIP')
  const hadAddress = typeof before === 'string' && before !== '' && at(old, 'spec', 'type') !== 'ExternalName'
  return [
    ...(typeof type === 'string' && !TYPES.includes(type) ? [notSupported('spec.type', type, TYPES)] : []),
    ...(typeof sessionAffinity === 'string' && !AFFINITIES.includes(sessionAffinity)
      ? [notSupported('spec.sessionAffinity', sessionAffinity, AFFINITIES)]
      : []),
    ...(isOutside(spec) && clusterIP === 'None'
      ? [invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${String(type)} services`)]
      : []),
    ...(type === 'ClusterIP' ? ports.flatMap(nodePortErrors) : []),
    ...(type === 'ExternalName' && !spec['externalName'] ? [required('spec.externalName')] : []),
    ...(needsPorts && ports.length === 0 ? [required('spec.ports')] : []),
    ...ports.flatMap((port, position) => portErrors(port, index('spec.ports', position), ports.length > 1)),
    ...repeated(ports),
    ...(hadAddress && type !== 'ExternalName' && !isSame(clusterIP, before)
      ? [invalid('spec.clusterIPs[0]', list(spec['clusterIPs']), 'may not change once set')]
      : []),
  ]
}

function portErrors(port: Json, path: string, needsName: boolean): readonly FieldError[] {
  const name = at(port, 'name')
  const number = at(port, 'port')
  const protocol = at(port, 'protocol')
  return [
    ...(needsName && (name === undefined || name === '') ? [required(child(path, 'name'))] : []),
    ...(typeof name === 'string' && name !== ''
      ? dnsLabel(name).map((text) => invalid(child(path, 'name'), name, text))
      : []),
    ...(isPort(number) ? [] : [invalid(child(path, 'port'), number ?? 0, 'must be between 1 and 65535, inclusive')]),
    ...(typeof protocol === 'string' && !PROTOCOLS.includes(protocol)
      ? [notSupported(child(path, 'protocol'), protocol, PROTOCOLS)]
      : []),
    ...targetErrors(at(port, 'targetPort'), child(path, 'targetPort')),
  ]
}

function nodePortErrors(port: Json, position: number): readonly FieldError[] {
  if (at(port, 'nodePort') === undefined) return []
  const path = child(index('spec.ports', position), 'nodePort')
  return [forbidden(path, "may not be used when `type` is 'ClusterIP'")]
}

function targetErrors(target: Json | undefined, path: string): readonly FieldError[] {
  if (typeof target !== 'number' || isPort(target)) return []
  return [invalid(path, target, 'must be between 1 and 65535, inclusive')]
}

function repeated(ports: readonly Json[]): readonly FieldError[] {
  const seen = new Set<string>()
  return ports.flatMap((port, position) => {
    const name = at(port, 'name')
    const key = `${String(at(port, 'port'))}/${String(at(port, 'protocol'))}`
    const path = index('spec.ports', position)
    const isKnownName = typeof name === 'string' && name !== '' && seen.has(`name ${name}`)
    const isKnownPort = seen.has(key)
    seen.add(`name ${String(name)}`).add(key)
    return [
      ...(isKnownName ? [duplicate(child(path, 'name'), name)] : []),
      ...(isKnownPort ? [duplicate(path, port)] : []),
    ]
  })
}

function isPort(value: Json | undefined): boolean {
  return typeof value === 'number' && value >= 1 && value <= 65535
}

function list(value: Json | undefined): readonly Json[] {
  return isJsonArray(value) ? value : []
}
