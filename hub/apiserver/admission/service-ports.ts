import type { Json, JsonObject } from '../../../schemas/index.ts'
import { arrayAt, isJsonObject, nameOf, objectAt, textAt, withContent } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { invalid } from '../../kube/status.ts'
import { resourceOf } from '../../serving/objects/registry.ts'
import type { Admission, Admitter } from '../rest/context.ts'
import { createHeld } from './held.ts'
import { ownerOf, type ServiceAddressesOptions } from './service-addresses.ts'

/** As in a cluster that was not told otherwise. */
const LOWEST = 30_000
const HIGHEST = 32_767

/** Gives the ports of Services of type NodePort and LoadBalancer a port of the nodes each. Nothing listens on it here. */
export function servicePorts({ store, clock, random }: ServiceAddressesOptions): Admitter {
  const held = createHeld<number>(store, clock)

  /** Of other Services than this one. */
  function taken(admission: Admission): Set<number> {
    const own = new Set(admission.before ? nodePortsOf(admission.before) : [])
    const all = [
      ...held.byOthers(ownerOf(admission)),
      ...store.list('/services').flatMap(([, service]) => nodePortsOf(service)),
    ]
    return new Set(all.filter((port) => !own.has(port)))
  }

  function free(used: ReadonlySet<number>): number {
    const count = HIGHEST - LOWEST + 1
    const [high = 0, low = 0] = random.bytes(2)
    for (let step = 0; step < count; step++) {
      const port = LOWEST + ((high * 256 + low + step) % count)
      if (!used.has(port)) return port
    }
    throw new Error('all ports of nodes are taken')
  }

  return {
    async mutate(admission) {
      const { object, before, dryRun } = admission
      if (!isService(admission) || !object) return undefined
      const spec = objectAt(object, 'spec')
      if (!hasNodePorts(spec)) return undefined
      const used = taken(admission)
      /** Another protocol may have the same port of the nodes. */
      const own = new Map<number, Json | undefined>()
      const take = (number: number): number => {
        used.add(number)
        if (!dryRun) held.hold(number, ownerOf(admission))
        return number
      }
      const ports = arrayAt(spec, 'ports').map((port, position) => {
        if (!isJsonObject(port)) return port
        const asked = numberOf(port['nodePort'])
        const isShared = own.has(asked) && own.get(asked) !== port['protocol']
        if (asked !== 0 && !isShared) check(admission, asked, position, used)
        const number = take(asked || keptPort(port, before, used) || free(used))
        own.set(number, port['protocol'])
        return { ...port, nodePort: number }
      })
      const health = needsHealth(spec) ? { healthCheckNodePort: take(healthPort(before) || free(used)) } : {}
      return withContent(object, { spec: { ...spec, ports, ...health } })
    },
    async validate(admission) {
      if (isService(admission) && admission.operation === 'DELETE') held.release(ownerOf(admission))
    },
  }
}

function isService({ definition, subresource }: Admission): boolean {
  return resourceOf(definition) === '/services' && subresource === ''
}

function hasNodePorts(spec: JsonObject): boolean {
  const type = textAt(spec, 'type')
  return type === 'NodePort' || (type === 'LoadBalancer' && spec['allocateLoadBalancerNodePorts'] !== false)
}

/** Of who balances load from outside and keeps it on the node that it reached. */
function needsHealth(spec: JsonObject): boolean {
  const isKept = spec['externalTrafficPolicy'] === 'Local' && spec['type'] === 'LoadBalancer'
  return isKept && numberOf(spec['healthCheckNodePort']) === 0
}

function healthPort(before: ApiObject | undefined): number {
  return before ? numberOf(objectAt(before, 'spec')['healthCheckNodePort']) : 0
}

/** A change that does not name the node's port means the one that there is. */
function keptPort(port: JsonObject, before: ApiObject | undefined, used: ReadonlySet<number>): number {
  const isSame = (each: Json) =>
    isJsonObject(each) && each['port'] === port['port'] && each['protocol'] === port['protocol']
  const old = before ? arrayAt(objectAt(before, 'spec'), 'ports').find(isSame) : undefined
  const number = isJsonObject(old) ? numberOf(old['nodePort']) : 0
  return used.has(number) ? 0 : number
}

function nodePortsOf(service: ApiObject): readonly number[] {
  const spec = objectAt(service, 'spec')
  const ports = arrayAt(spec, 'ports').map((port) => (isJsonObject(port) ? numberOf(port['nodePort']) : 0))
  return [...ports, numberOf(spec['healthCheckNodePort'])].filter((port) => port !== 0)
}

function numberOf(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0
}

function check(admission: Admission, port: number, position: number, used: ReadonlySet<number>): void {
  const { definition, object, dryRun } = admission
  // Upstream does not look at the range where nothing is to be kept.
  const isInRange = dryRun || (port >= LOWEST && port <= HIGHEST)
  if (isInRange && !used.has(port)) return
  const why = isInRange
    ? 'provided port is already allocated'
    : `provided port is not in the valid range. The range of valid ports is ${LOWEST}-${HIGHEST}`
  const cause = {
    reason: 'FieldValueInvalid',
    message: `Invalid value: ${port}: ${why}`,
    field: `spec.ports[${position}].nodePort`,
  }
  throw invalid(definition, object ? nameOf(object) : '', [cause])
}
