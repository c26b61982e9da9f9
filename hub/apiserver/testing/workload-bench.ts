import { ms, seconds } from '../../../platform/time/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import { nameOf, objectAt, textAt, withContent } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { garbageCollector } from '../controllers/garbage-collector.ts'
import { scheduler } from '../controllers/scheduler/scheduler.ts'
import { daemonSets } from '../controllers/workloads/daemon-sets/daemon-sets.ts'
import { deployments } from '../controllers/workloads/deployments/deployments.ts'
import { disruptionBudgets } from '../controllers/workloads/disruption-budgets.ts'
import { jobs } from '../controllers/workloads/jobs/jobs.ts'
import { replicaSets } from '../controllers/workloads/replica-sets.ts'
import { type ApiBench, startApiBench } from './api-bench.ts'
import { nodeCalled } from './nodes.ts'
import { type Play, playKubelets } from './played-kubelet.ts'

/** A bench with all controllers of workloads, nodes, and kubelets that are played. */
export interface WorkloadBench extends ApiBench {
  /** Lets what is due, and what follows from it, happen. */
  settle(): Promise<void>
  live(seconds: number): Promise<void>
  /** Pods by name, those that are about to go too. */
  pods(): readonly ApiObject[]
  all(resource: string): readonly ApiObject[]
  /** An object as it is now; an empty one where it is gone. */
  now(object: ApiObject): ApiObject
  /** Fields of its status. */
  status(object: ApiObject): JsonObject
  /** Changes fields of its spec. */
  ask(object: ApiObject, spec: JsonObject): Promise<void>
  /** `reason: message` of Events about objects of a kind, in no order. */
  events(kind: string): readonly string[]
}

export async function startWorkloadBench(
  nodes: readonly string[],
  play: (pod: ApiObject) => Play = () => 'run',
): Promise<WorkloadBench> {
  const bench = await startApiBench([
    garbageCollector,
    scheduler,
    replicaSets,
    deployments,
    daemonSets,
    jobs,
    disruptionBudgets,
  ])
  playKubelets(bench, play)
  for (const name of nodes) await bench.create(nodeCalled(name))
  const all = (resource: string) => bench.api.store.list(resource).map(([, object]) => object)
  const now = (object: ApiObject) => bench.get(object) ?? { ...object, spec: {}, status: {} }
  const settle = async () => {
    // Until nothing changes any more, at the present time.
    for (let still = 0, version = -1; still < 3; ) {
      for (let turn = 0; turn < 10; turn++) await bench.clock.advance(ms(0))
      still = bench.api.store.version === version ? still + 1 : 0
      version = bench.api.store.version
    }
  }
  return {
    ...bench,
    settle,
    async live(count) {
      for (let passed = 0; passed < count; passed++) {
        await bench.clock.advance(seconds(1))
        await settle()
      }
    },
    all,
    pods: () => all('/pods'),
    now,
    status: (object) => objectAt(now(object), 'status'),
    async ask(object, spec) {
      await bench.edit(object, '', (current) =>
        withContent(current, { spec: { ...objectAt(current, 'spec'), ...spec } }),
      )
    },
    events: (kind) =>
      all('/events')
        .filter((event) => textAt(objectAt(event, 'involvedObject'), 'kind') === kind)
        .map((event) => `${textAt(event, 'reason')}: ${textAt(event, 'message')}`),
  }
}

export function workload(kind: string, name: string, spec: JsonObject, image = 'nginx:1'): ApiObject {
  const labels = { app: name }
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace: 'default' },
    spec: { selector: { matchLabels: labels }, template: templateWith(name, image), ...spec },
  }
}

export function templateWith(name: string, image: string): JsonObject {
  return { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image }] } }
}

/** Names without the part that chance made. */
export function stems(objects: readonly ApiObject[]): readonly string[] {
  return objects.map((object) => nameOf(object).replace(/-[a-z0-9]{5}$/, '')).sort()
}
