import type { Bus } from '../../../../platform/bus/index.ts'
import { describeError } from '../../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../../platform/log/index.ts'
import { type Clock, ms } from '../../../../platform/time/index.ts'
import {
  assignedDevices,
  deviceRefusals,
  type Json,
  type JsonObject,
  NAMESPACE_SERVICES_TYPE,
  objectChanges,
  parseResource,
  podReports,
  twins,
} from '../../../../schemas/index.ts'
import { arrayAt, isJsonObject, nameOf, objectAt, textAt, timestamp } from '../../../kube/object/index.ts'
import type { ApiObject, ResourceDefinition } from '../../../kube/resource.ts'
import { apiVersionOf, keyOf, resourceOf } from '../../../serving/objects/registry.ts'
import type { MetaManager } from '../../meta/meta-manager.ts'
import { reportedConditions } from '../../node/conditions.ts'
import type { NodeSelf } from '../../node/node-self.ts'
import { deviceSpec, deviceStatus } from '../devices/device-status.ts'
import type { Kinds } from './kinds.ts'
import type { NodeObjects } from './node-objects.ts'

export interface FollowNodePorts {
  readonly meta: Pick<MetaManager, 'keys' | 'stored'>
  readonly bus: Bus
  readonly kinds: Kinds
  readonly objects: NodeObjects
  readonly nodeName: string
  /** Absent: the Node is shown as the cloud last said. */
  readonly node?: NodeSelf
  readonly clock: Clock
  readonly log: Logger
}

export interface FollowedNode extends Disposable {
  /** Shows what is known of an object now, whatever waits. Of the wire: `shop/device/pump-1`. */
  refresh(resource: string): void
}

/** Values change many times a second; who watches a device gets the latest so often. */
const VALUES_EVERY = ms(200)
/** Rights of service accounts are used here, and shown to nobody. */
export const ACCESS_TYPE = 'serviceaccountaccess'
const HIDDEN: ReadonlySet<string> = new Set([ACCESS_TYPE, NAMESPACE_SERVICES_TYPE])

/**
 * Shows each object of this node as it is here and now: what the cloud gave, with the status that the node itself knows better, of pods,
 * devices and the Node. Durable metadata is the truth; the bus says when to look again.
 */
export function followNode(ports: FollowNodePorts): FollowedNode {
  const { meta, bus, objects, clock } = ports
  const waiting = new Set<string>()
  const state: { timer?: Disposable } = {}
  const refresh = (resource: string) => {
    waiting.delete(resource)
    show(ports, resource)
  }
  const refreshSoon = (resource: string) => {
    waiting.add(resource)
    state.timer ??= clock.after(VALUES_EVERY, () => {
      delete state.timer
      for (const each of [...waiting]) refresh(each)
    })
  }
  for (const key of meta.keys()) show(ports, key)
  const lookAtNode = () => void showNode(ports, objects)
  lookAtNode()
  const subscriptions: Disposable[] = [
    bus.subscribe(objectChanges, ({ resource }) => {
      if (parseResource(resource)?.type === 'node') lookAtNode()
      else refresh(resource)
    }),
    bus.watch(podReports, ({ key, replay }) => {
      if (!replay) refresh(wireKey(key, 'pod'))
    }),
    bus.watch(assignedDevices, ({ key, replay }) => {
      if (!replay) refreshSoon(wireKey(key, 'device'))
    }),
    bus.watch(twins, ({ key, replay }) => {
      if (!replay) refreshSoon(wireKey(key, 'device'))
    }),
    bus.watch(deviceRefusals, ({ key, replay }) => {
      if (!replay) refreshSoon(wireKey(key, 'device'))
    }),
    ...(ports.node ? [ports.node.onChange(lookAtNode)] : []),
  ]
  return {
    refresh,
    [Symbol.dispose]() {
      state.timer?.[Symbol.dispose]()
      for (const each of subscriptions) each[Symbol.dispose]()
    },
  }
}

/** `shop/pump-1` to `shop/device/pump-1`. */
function wireKey(id: string, type: string): string {
  const [namespace = '', ...name] = id.split('/')
  return `${namespace}/${type}/${name.join('/')}`
}

function show(ports: FollowNodePorts, resource: string): void {
  const { meta, kinds, objects } = ports
  const path = parseResource(resource)
  if (!path || path.name === '' || HIDDEN.has(path.type) || path.type === 'node') return
  const stored = meta.stored(resource)
  const definition = kinds.ofType(path.type) ?? (isTyped(stored) ? kinds.learn(path.type, stored) : undefined)
  if (!definition) return
  const key = keyOf(definition.namespaced ? path.namespace : '', path.name)
  const object = stored && typed(stored, definition, path)
  objects.put(resourceOf(definition), key, object && ofNow(ports, definition, object))
}

function isTyped(object: JsonObject | undefined): object is ApiObject {
  return textAt(object ?? {}, 'apiVersion') !== '' && textAt(object ?? {}, 'kind') !== ''
}

/** Informers of a cloud leave out which kind it is, and `skerry` is for the twin alone. */
function typed(
  { skerry: _skerry, ...object }: JsonObject,
  definition: ResourceDefinition,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): ApiObject {
  const metadata = { ...(definition.namespaced ? { namespace } : {}), name, ...objectAt(object, 'metadata') }
  const { apiVersion: _version, kind: _kind, metadata: _metadata, ...content } = object
  return { apiVersion: apiVersionOf(definition), kind: definition.kind, metadata, ...content }
}

/** Nothing for what is stored here, but belongs to another node. */
function ofNow(ports: FollowNodePorts, definition: ResourceDefinition, object: ApiObject): ApiObject | undefined {
  const nodeName = textAt(objectAt(object, 'spec'), 'nodeName')
  switch (resourceOf(definition)) {
    case '/pods':
      return nodeName === ports.nodeName ? podOfNow(ports, object) : undefined
    case 'devices.kubeedge.io/devices':
      return nodeName === ports.nodeName ? deviceOfNow(ports, object) : undefined
    default:
      return object
  }
}

function podOfNow({ bus }: FollowNodePorts, pod: ApiObject): ApiObject {
  const report = bus.get(podReports, keyOf(textAt(pod.metadata, 'namespace'), nameOf(pod)))
  if (report?.uid !== textAt(pod.metadata, 'uid')) return pod
  const before = objectAt(pod, 'status')
  const own = arrayAt(report.status, 'conditions').filter(isJsonObject)
  const types = new Set(own.map((each) => each['type']))
  const others = arrayAt(before, 'conditions').filter((each) => isJsonObject(each) && !types.has(each['type']))
  return { ...pod, status: { ...before, ...report.status, conditions: [...own, ...others] } }
}

function deviceOfNow({ bus, objects, clock }: FollowNodePorts, object: ApiObject): ApiObject {
  const id = keyOf(textAt(object.metadata, 'namespace'), nameOf(object))
  const device = bus.get(assignedDevices, id)?.device
  // MetaManager shows each device that has the form of one; anything else is shown as it is stored.
  if (!device || device.metadata.uid !== object.metadata['uid']) return object
  const shown = objects.get('devices.kubeedge.io/devices', id)
  const before = shown?.metadata['uid'] === object.metadata['uid'] ? conditionsIn(shown) : []
  const twin = bus.get(twins, id)
  const status = deviceStatus({
    ...{ device, twin, now: timestamp(clock.now()) },
    refusals: bus.get(deviceRefusals, id) ?? [],
    before: before.length > 0 ? before : (device.status?.conditions ?? []),
  })
  return { ...object, spec: plain(deviceSpec(device, twin)), status: plain(status) }
}

type Conditions = Parameters<typeof deviceStatus>[0]['before']

function conditionsIn(object: ApiObject | undefined): Conditions {
  const list: unknown = object && Reflect.get(objectAt(object, 'status'), 'conditions')
  return Array.isArray(list) ? list : []
}

function plain(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value))
}

/** Its conditions are measured, which takes a moment; its heartbeats are those of the cloud's copy. */
async function showNode(ports: FollowNodePorts, objects: NodeObjects): Promise<void> {
  const { meta, kinds, node, nodeName, clock, log } = ports
  const definition = kinds.ofType('node')
  if (!definition) return
  try {
    const seen = await node?.look()
    const stored = meta.stored(`null/node/${nodeName}`)
    if (!stored) return objects.put('/nodes', keyOf('', nodeName), undefined)
    const object = typed(stored, definition, { namespace: '', name: nodeName })
    const conditions: Json | undefined = seen && [
      ...reportedConditions(seen.conditions, stored, timestamp(clock.now())),
    ]
    const status = { ...objectAt(object, 'status'), ...(conditions ? { conditions: steady(conditions, object) } : {}) }
    objects.put('/nodes', keyOf('', nodeName), { ...object, status })
  } catch (error) {
    log.warn('The node could not be looked at', { error: describeError(error) })
  }
}

/** A heartbeat alone is no change. */
function steady(conditions: readonly Json[], node: ApiObject): readonly Json[] {
  const known = arrayAt(objectAt(node, 'status'), 'conditions').filter(isJsonObject)
  return conditions.map((each) => {
    if (!isJsonObject(each)) return each
    const before = known.find(({ type, status }) => type === each['type'] && status === each['status'])
    const heartbeat = before?.['lastHeartbeatTime']
    return heartbeat === undefined ? each : { ...each, lastHeartbeatTime: heartbeat }
  })
}
