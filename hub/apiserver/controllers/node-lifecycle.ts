import { seconds } from '../../../platform/time/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import {
  arrayAt,
  isJsonObject,
  nameOf,
  objectAt,
  sameJson,
  textAt,
  timestamp,
  withContent,
} from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { StatusError } from '../../kube/status.ts'
import { type ApiContext, systemChange } from '../rest/context.ts'
import { keyOf } from '../rest/registry.ts'
import { updateObject } from '../rest/update.ts'
import type { Controller, ControllerOptions } from './controller.ts'

/** Kubernetes' own: a node that renews every 10 s may miss three renewals. */
const GRACE = seconds(40)
const EVERY = seconds(5)
const LEASES = 'coordination.k8s.io/leases'
const TYPES = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure']

/** Says of a node that stopped renewing its lease that nobody knows how it is. The node itself says otherwise, later. */
export function nodeLifecycle({ api }: ControllerOptions): Controller {
  return {
    watch: () => ({ [Symbol.dispose]: () => undefined }),
    async run(signal) {
      const startedAt = api.clock.now()
      while (!signal.aborted) {
        // After a start nodes get a full grace period: this API was away, not they.
        if (api.clock.now() - startedAt > GRACE.milliseconds) await look(api, signal)
        await api.clock.sleep(EVERY, signal)
      }
    },
  }
}

async function look(api: ApiContext, signal: AbortSignal): Promise<void> {
  for (const [, node] of api.store.list('/nodes')) {
    const renewed = renewedAt(api, nameOf(node))
    if (renewed === undefined || api.clock.now() - renewed <= GRACE.milliseconds) continue
    if (sameJson(unknownNow(node, api.clock.now()), node)) continue
    await mark(api, nameOf(node), signal)
  }
}

async function mark(api: ApiContext, name: string, signal: AbortSignal): Promise<void> {
  const definition = api.registry.find('', 'v1', 'nodes')
  if (!definition) return
  const propose = (current: ApiObject) => unknownNow(current, api.clock.now())
  try {
    await updateObject(api, systemChange(definition, '', signal), { name, subresource: 'status' }, { propose })
    api.log.warn('A node stopped renewing its lease', { node: name })
  } catch (error) {
    if (!(error instanceof StatusError) || error.status.reason !== 'NotFound') throw error
  }
}

/** Nodes without a lease report in other ways and are left alone. */
function renewedAt(api: ApiContext, name: string): number | undefined {
  const lease = api.store.get(LEASES, keyOf('kube-node-lease', name))
  const time = lease ? Date.parse(textAt(objectAt(lease, 'spec'), 'renewTime')) : Number.NaN
  return Number.isNaN(time) ? undefined : time
}

function unknownNow(node: ApiObject, now: number): ApiObject {
  const status = objectAt(node, 'status')
  const conditions = arrayAt(status, 'conditions').map((each) =>
    isJsonObject(each) ? unknownCondition(each, now) : each,
  )
  return withContent(node, { status: { ...status, conditions } })
}

function unknownCondition(condition: JsonObject, now: number): JsonObject {
  if (!TYPES.includes(textAt(condition, 'type')) || condition['status'] === 'Unknown') return condition
  return {
    ...condition,
    status: 'Unknown',
    reason: 'NodeStatusUnknown',
    message: 'Kubelet stopped posting node status.',
    lastTransitionTime: timestamp(now),
  }
}
