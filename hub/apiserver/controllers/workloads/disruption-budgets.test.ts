import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../schemas/index.ts'
import { conditionOf, isDeleting, nameOf, objectAt } from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'
import { StatusError } from '../../../kube/status.ts'
import { systemChange } from '../../rest/context.ts'
import { evictPod } from '../../rest/evict.ts'
import type { Play } from '../../testing/played-kubelet.ts'
import { startWorkloadBench, type WorkloadBench, workload } from '../../testing/workload-bench.ts'

function budget(spec: JsonObject): ApiObject {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'web', namespace: 'default' },
    spec: { selector: { matchLabels: { app: 'web' } }, ...spec },
  }
}

/** `evicted`, or why not. */
async function evict(bench: WorkloadBench, pod: ApiObject | undefined): Promise<string> {
  const definition = bench.api.registry.stored('/pods')
  assert.ok(definition && pod)
  const change = systemChange(definition, 'default', new AbortController().signal)
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: nameOf(pod) } }
  try {
    await evictPod(bench.api, change, nameOf(pod), eviction)
    return 'evicted'
  } catch (error) {
    assert.ok(error instanceof StatusError)
    return `${error.status.code} ${error.status.details?.causes?.[0]?.message ?? error.message}`
  }
}

async function guarded(spec: JsonObject, replicas = 3, play?: (pod: ApiObject) => Play) {
  const bench = await startWorkloadBench(['edge-1', 'edge-2'], play)
  await bench.create(workload('Deployment', 'web', { replicas }))
  await bench.create(budget(spec))
  await bench.settle()
  return bench
}

const figures = (bench: WorkloadBench) => {
  const { currentHealthy, desiredHealthy, disruptionsAllowed, expectedPods } = bench.status(budget({}))
  return [currentHealthy, desiredHealthy, disruptionsAllowed, expectedPods]
}

const cases: readonly (readonly [JsonObject, readonly number[]])[] = [
  [{ minAvailable: 2 }, [3, 2, 1, 3]],
  [{ minAvailable: '50%' }, [3, 2, 1, 3]],
  [{ maxUnavailable: 1 }, [3, 2, 1, 3]],
  [{ maxUnavailable: '50%' }, [3, 1, 2, 3]],
  [{ minAvailable: 5 }, [3, 5, 0, 3]],
  [{ maxUnavailable: '100%' }, [3, 0, 3, 3]],
]
for (const [spec, expected] of cases) {
  test(`three pods and ${JSON.stringify(spec)}: ${expected[2]} may be evicted`, async () => {
    await using bench = await guarded(spec)
    assert.deepEqual(figures(bench), expected)
    const reason = conditionOf(bench.now(budget({})), 'DisruptionAllowed')?.['reason']
    assert.equal(reason, expected[2] === 0 ? 'InsufficientPods' : 'SufficientPods')
  })
}

test('of two evictions at once only the one that the budget allows goes through, and the next once there is a new pod', async () => {
  await using bench = await guarded({ minAvailable: 2 })
  const [first, second] = bench.pods()
  const results = await Promise.all([evict(bench, first), evict(bench, second)])
  assert.deepEqual(
    results.filter((each) => each !== 'evicted'),
    ['429 The disruption budget web does not allow evicting pods currently'],
  )
  await bench.settle()
  assert.deepEqual(figures(bench), [3, 2, 1, 3])
  assert.equal(
    await evict(
      bench,
      bench.pods().find((pod) => !isDeleting(pod)),
    ),
    'evicted',
  )
})

test('a pod is not evicted where too few are healthy, unless it is itself none that serves', async () => {
  await using bench = await guarded({ minAvailable: 3 })
  assert.equal(
    await evict(bench, bench.pods()[0]),
    '429 The disruption budget web needs 3 healthy pods and has 3 currently',
  )
  assert.equal(bench.pods().length, 3)
  const waiting = await startWorkloadBench([], () => 'ignore')
  await waiting.create(workload('Deployment', 'web', { replicas: 1 }))
  await waiting.create(budget({ minAvailable: 1 }))
  await waiting.settle()
  assert.equal(await evict(waiting, waiting.pods()[0]), 'evicted')
  await waiting[Symbol.asyncDispose]()
})

test('an eviction that nobody saw is forgotten after two minutes', async () => {
  await using bench = await guarded({ minAvailable: 2 })
  const [pod] = bench.pods()
  assert.ok(pod)
  await bench.edit(budget({}), 'status', (current) => ({
    ...current,
    status: {
      ...objectAt(current, 'status'),
      disruptedPods: { [nameOf(pod)]: new Date(bench.clock.now()).toISOString() },
    },
  }))
  await bench.settle()
  assert.deepEqual(figures(bench), [2, 2, 0, 3])
  await bench.live(121)
  assert.deepEqual(figures(bench), [3, 2, 1, 3])
})

test('pods whose owner has no size cannot be counted in parts', async () => {
  await using bench = await startWorkloadBench(['edge-1'])
  await bench.create(workload('DaemonSet', 'web', {}))
  await bench.create(budget({ maxUnavailable: 1 }))
  await bench.settle()
  const condition = conditionOf(bench.now(budget({})), 'DisruptionAllowed')
  assert.deepEqual(
    [condition?.['reason'], condition?.['message']],
    ['SyncFailed', 'daemonsets.apps does not implement the scale subresource'],
  )
})
