import { type Json, type JsonObject, type Quantity, quantityOr } from '../../../../schemas/index.ts'
import { arrayAt, isJsonObject, objectAt, textAt } from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'

/** Amounts of resources by name. */
export type Amounts = ReadonlyMap<string, Quantity>

/** What a pod takes from the node that it runs on. */
export interface PodNeeds {
  readonly requests: Amounts
  /** Ports of the node, as `TCP/8080/127.0.0.1`; the address is empty for all of them. */
  readonly ports: readonly string[]
}

/**
 * Requests as Kubernetes counts them: those of the containers together with those of init containers that go on running, or
 * the largest of the others where that is more; the pod's own take their place; the overhead of its runtime comes on top.
 */
export function podNeeds(pod: ApiObject): PodNeeds {
  const spec = objectAt(pod, 'spec')
  const containers = arrayAt(spec, 'containers').filter(isJsonObject)
  const inits = arrayAt(spec, 'initContainers').filter(isJsonObject)
  const total = new Map<string, Quantity>()
  for (const each of containers) addTo(total, requestsOf(each))
  const running = new Map<string, Quantity>()
  const peak = new Map<string, Quantity>()
  for (const each of inits) {
    const asked = requestsOf(each)
    if (isLasting(each)) {
      addTo(total, asked)
      addTo(running, asked)
      raiseTo(peak, running)
    } else raiseTo(peak, sumOf(running, asked))
  }
  raiseTo(total, peak)
  for (const [name, amount] of requestsOf(spec)) total.set(name, amount)
  addTo(total, amountsOf(spec['overhead']))
  return { requests: total, ports: [...containers, ...inits.filter(isLasting)].flatMap(portsOf) }
}

/** What a node offers to pods; undefined for one that says nothing. */
export function roomOf(node: ApiObject): Amounts | undefined {
  const amounts = amountsOf(objectAt(node, 'status')['allocatable'])
  return amounts.size === 0 ? undefined : amounts
}

/** Whether two claims of a port of a node exclude each other. */
export function isSamePort(one: string, other: string): boolean {
  const [protocol, port, address] = one.split('/')
  const [otherProtocol, otherPort, otherAddress] = other.split('/')
  if (protocol !== otherProtocol || port !== otherPort) return false
  return address === '' || otherAddress === '' || address === otherAddress
}

function isLasting(container: JsonObject): boolean {
  return container['restartPolicy'] === 'Always'
}

function requestsOf(owner: JsonObject): Amounts {
  return amountsOf(objectAt(owner, 'resources')['requests'])
}

function amountsOf(value: Json | undefined): Amounts {
  if (!isJsonObject(value)) return new Map()
  return new Map(Object.entries(value).map(([name, amount]) => [name, quantityOr(amount)]))
}

function portsOf(container: JsonObject): readonly string[] {
  return arrayAt(container, 'ports')
    .filter(isJsonObject)
    .flatMap((port) => {
      const { hostPort } = port
      if (typeof hostPort !== 'number' || hostPort <= 0) return []
      const address = textAt(port, 'hostIP')
      return [`${textAt(port, 'protocol') || 'TCP'}/${hostPort}/${address === '0.0.0.0' ? '' : address}`]
    })
}

function addTo(total: Map<string, Quantity>, more: Amounts): void {
  for (const [name, amount] of more) total.set(name, (total.get(name) ?? 0n) + amount)
}

function sumOf(one: Amounts, other: Amounts): Amounts {
  const total = new Map(one)
  addTo(total, other)
  return total
}

function raiseTo(total: Map<string, Quantity>, least: Amounts): void {
  for (const [name, amount] of least) if (amount > (total.get(name) ?? 0n)) total.set(name, amount)
}
