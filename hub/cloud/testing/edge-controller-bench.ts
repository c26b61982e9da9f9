import assert from 'node:assert/strict'
import { createMetrics, type Metrics } from '../../../platform/health/index.ts'
import { createScope, type Scope } from '../../../platform/lifecycle/index.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import { seconds } from '../../../platform/time/index.ts'
import type { Frame, Json, JsonObject } from '../../../schemas/index.ts'
import { createEdgeControllerModule, type EdgeControllerPorts } from '../edge-controller/module.ts'
import type { ServiceLimits } from '../edge-controller/services/service-limits.ts'
import { createInformer } from '../kubernetes/informer.ts'
import type { ResourceType } from '../kubernetes/kubernetes.ts'
import { type AnyObject, NODES, PODS, RULE_ENDPOINTS, RULES } from '../kubernetes/resources.ts'
import type { FakeKubernetes } from './fake-kubernetes.ts'
import { type CloudHarness, countingRandom, type ScriptedEdge, startCloud } from './harness.ts'

export interface EdgeControllerBench extends CloudHarness {
  readonly metrics: Metrics
  /** Asks as an edge does, and gives the answer if it is there by then. */
  ask(edge: ScriptedEdge, operation: string, resource: string, content?: Json): Promise<Frame | undefined>
  make(type: ResourceType<AnyObject>, namespace: string | undefined, object: object): Promise<AnyObject>
  /** `operation resource` of what went down to an edge without being asked for, from here on. */
  down(edge: ScriptedEdge): readonly string[]
}

/** Hub, DeviceController and EdgeController on the fake Kubernetes and virtual time. */
export async function startEdgeController(
  kubernetes?: FakeKubernetes,
  services?: ServiceLimits,
): Promise<EdgeControllerBench> {
  const cloud = await startCloud(kubernetes)
  const { clock, hub } = cloud
  const log = silentLogger
  const metrics = createMetrics()
  const onCrash = (error: unknown) => assert.fail(String(error))
  const scope = createScope('edgecontroller', { clock, log, deadline: seconds(1), onCrash })
  const ports = { kubernetes: cloud.kubernetes, hub, clock, random: countingRandom(), log, metrics }
  await runEdgeController({ ...ports, ...(services ? { services } : {}) }, scope)
  await cloud.settle()
  return {
    ...cloud,
    metrics,
    async ask(edge, operation, resource, content = null) {
      const frame = edge.say({ source: 'edged', group: 'meta', operation, resource }, content)
      await cloud.settle()
      return edge.received.find((answer) => answer.header.parent_msg_id === frame.header.msg_id)
    },
    make: (type, namespace, object) => cloud.kubernetes.create(type, namespace, object),
    down: (edge) =>
      edge.received
        .filter(({ header, route }) => header.parent_msg_id === undefined && route.group !== 'twin')
        .map(({ route }) => `${route.operation} ${route.resource}`),
    async stop() {
      const closing = scope[Symbol.asyncDispose]()
      cloud.kubernetes.dropWatches()
      await cloud.settle()
      await closing
      await cloud.stop()
    },
  }
}

/** EdgeController with informers of its own, as long as the scope. */
export async function runEdgeController(
  ports: Omit<EdgeControllerPorts, 'nodes' | 'rules' | 'endpoints'>,
  scope: Scope,
): Promise<void> {
  const informers = {
    nodes: createInformer(NODES, {}, ports),
    rules: createInformer(RULES, {}, ports),
    endpoints: createInformer(RULE_ENDPOINTS, {}, ports),
  }
  for (const informer of Object.values(informers)) scope.run((signal) => informer.run(signal))
  await createEdgeControllerModule({ ...ports, ...informers }).start(scope)
}

/** A pod of namespace `shop` on a node, with the volumes and so on that are given. */
export function shopPod(name: string, node: string, spec: JsonObject = {}): JsonObject {
  return { metadata: { name, namespace: 'shop' }, spec: { nodeName: node, containers: [{ name: 'main' }], ...spec } }
}

export async function makePod(bench: EdgeControllerBench, pod: JsonObject): Promise<AnyObject> {
  const made = await bench.make(PODS, 'shop', pod)
  await bench.settle()
  return made
}
