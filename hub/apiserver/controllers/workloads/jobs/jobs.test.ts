import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../../schemas/index.ts'
import {
  arrayAt,
  conditionOf,
  finalizersOf,
  isDeleting,
  isJsonObject,
  nameOf,
  objectAt,
  textAt,
} from '../../../../kube/object/index.ts'
import type { ApiObject } from '../../../../kube/resource.ts'
import type { Play } from '../../../testing/played-kubelet.ts'
import { startWorkloadBench, stems, type WorkloadBench } from '../../../testing/workload-bench.ts'
import { formatIndexes, indexOf, parseIndexes } from './indexes.ts'

function job(spec: JsonObject = {}, restartPolicy = 'Never'): ApiObject {
  const template = { metadata: {}, spec: { restartPolicy, containers: [{ name: 'main', image: 'busybox' }] } }
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'sum', namespace: 'default' },
    spec: { template, ...spec },
  }
}

async function begun(spec: JsonObject, play: (pod: ApiObject) => Play) {
  const bench = await startWorkloadBench(['edge-1'], play)
  await bench.create(job(spec))
  await bench.settle()
  return bench
}

const conditions = (bench: WorkloadBench) =>
  arrayAt(bench.status(job()), 'conditions')
    .filter(isJsonObject)
    .filter((each) => each['status'] === 'True')
    .map((each) => `${textAt(each, 'type')} ${textAt(each, 'reason')}`)
const figures = (bench: WorkloadBench) => {
  const { active = 0, succeeded = 0, failed = 0 } = bench.status(job())
  return { active, succeeded, failed }
}
const active = (bench: WorkloadBench) =>
  bench.pods().filter((pod) => textAt(objectAt(pod, 'status'), 'phase') === 'Running' && !isDeleting(pod))

test('a job runs its pods, as many at a time as it may, until enough of them succeeded', async () => {
  const running: number[] = []
  await using bench = await startWorkloadBench(['edge-1'], () => 'succeed')
  using _ = bench.api.store.onChange(() => {
    running.push(bench.pods().filter((pod) => textAt(objectAt(pod, 'status'), 'phase') === 'Pending').length)
  })
  await bench.create(job({ completions: 5, parallelism: 2 }))
  await bench.live(3)
  assert.deepEqual(figures(bench), { active: 0, succeeded: 5, failed: 0 })
  assert.deepEqual(conditions(bench), ['SuccessCriteriaMet CompletionsReached', 'Complete CompletionsReached'])
  assert.equal(bench.pods().length, 5)
  assert.ok(Math.max(...running) <= 2, String(running))
  assert.ok(bench.status(job())['completionTime'])
  assert.deepEqual(bench.status(job())['uncountedTerminatedPods'], {})
  assert.ok(bench.pods().every((pod) => finalizersOf(pod).length === 0))
  assert.ok(bench.events('Job').includes('Completed: Job completed'))
  const { version } = bench.api.store
  await bench.live(20)
  await bench.restart()
  await bench.live(20)
  assert.equal(bench.api.store.version, version)
})

test('what ended is counted also when its pods were taken away', async () => {
  await using bench = await startWorkloadBench(['edge-1'], () => 'succeed')
  let removed = 0
  using _ = bench.api.store.onChange((resource, { after }) => {
    if (resource !== '/pods' || !after || isDeleting(after)) return
    if (textAt(objectAt(after, 'status'), 'phase') !== 'Succeeded') return
    removed++
    void bench.remove(after).catch(() => undefined)
  })
  await bench.create(job({ completions: 3 }))
  await bench.live(5)
  assert.ok(removed > 0)
  assert.deepEqual(figures(bench), { active: 0, succeeded: 3, failed: 0 })
})

test('a pod that fails is made anew, later each time, until the limit', async () => {
  await using bench = await begun({ backoffLimit: 2 }, () => 'fail')
  assert.deepEqual(figures(bench), { active: 0, succeeded: 0, failed: 1 })
  await bench.live(8)
  assert.equal(figures(bench).failed, 1)
  await bench.live(4)
  assert.equal(figures(bench).failed, 2)
  await bench.live(16)
  assert.equal(figures(bench).failed, 2)
  await bench.live(8)
  assert.equal(figures(bench).failed, 3)
  assert.deepEqual(conditions(bench), ['FailureTarget BackoffLimitExceeded', 'Failed BackoffLimitExceeded'])
  assert.ok(bench.events('Job').includes('BackoffLimitExceeded: Job has reached the specified backoff limit'))
  await bench.live(60)
  assert.equal(bench.pods().length, 3)
})

test('each index is done once, and a pod knows its own', async () => {
  await using bench = await begun({ completions: 4, parallelism: 2, completionMode: 'Indexed' }, () => 'succeed')
  await bench.live(3)
  assert.deepEqual(bench.pods().map(indexOf).sort(), [0, 1, 2, 3])
  assert.deepEqual(stems(bench.pods()), ['sum-0', 'sum-1', 'sum-2', 'sum-3'])
  const [pod] = bench.pods()
  assert.equal(objectAt(pod ?? job(), 'spec')['hostname'], 'sum-0')
  assert.match(JSON.stringify(pod), /JOB_COMPLETION_INDEX/)
  assert.deepEqual(bench.status(job())['completedIndexes'], '0-3')
  assert.deepEqual(conditions(bench).at(-1), 'Complete CompletionsReached')
})

test('an index that fails too often is given up, the others go on', async () => {
  const spec = { completions: 3, parallelism: 3, completionMode: 'Indexed', backoffLimitPerIndex: 1 }
  await using bench = await begun(spec, (pod) => (indexOf(pod) === 1 ? 'fail' : 'succeed'))
  await bench.live(40)
  const { completedIndexes, failedIndexes, failed } = bench.status(job())
  assert.deepEqual([completedIndexes, failedIndexes, failed], ['0,2', '1', 2])
  assert.deepEqual(conditions(bench).at(-1), 'Failed FailedIndexes')
})

test('some indexes are enough where its success policy says so', async () => {
  const successPolicy = { rules: [{ succeededIndexes: '0', succeededCount: 1 }] }
  const spec = { completions: 3, parallelism: 3, completionMode: 'Indexed', successPolicy }
  await using bench = await begun(spec, (pod) => (indexOf(pod) === 0 ? 'succeed' : 'run'))
  await bench.live(3)
  assert.deepEqual(conditions(bench), ['SuccessCriteriaMet SuccessPolicy', 'Complete SuccessPolicy'])
  assert.equal(bench.pods().length, 1)
})

test('without a number of completions one success is enough', async () => {
  let first: string | undefined
  await using bench = await begun({ parallelism: 3 }, (pod) => {
    first ??= nameOf(pod)
    return nameOf(pod) === first ? 'succeed' : 'ignore'
  })
  await bench.live(2)
  assert.deepEqual([figures(bench).succeeded, figures(bench).active, conditions(bench)], [1, 2, []])
  for (const pod of bench.pods().filter((each) => nameOf(each) !== first)) await bench.remove(pod)
  await bench.settle()
  assert.deepEqual(conditions(bench).at(-1), 'Complete CompletionsReached')
})

test('a job that is suspended has no pods, and goes on when it is not', async () => {
  await using bench = await begun({ completions: 2, parallelism: 2 }, () => 'run')
  assert.equal(active(bench).length, 2)
  await bench.ask(job(), { suspend: true })
  await bench.settle()
  assert.deepEqual([bench.pods().length, figures(bench)], [0, { active: 0, succeeded: 0, failed: 0 }])
  assert.deepEqual(conditions(bench), ['Suspended JobSuspended'])
  assert.equal(bench.status(job())['startTime'], undefined)
  await bench.ask(job(), { suspend: false })
  await bench.settle()
  assert.equal(active(bench).length, 2)
  assert.equal(conditionOf(bench.now(job()), 'Suspended')?.['reason'], 'JobResumed')
  const told = bench.events('Job').filter((each) => /^(Suspended|Resumed)/.test(each))
  assert.deepEqual(told.sort(), ['Resumed: Job resumed', 'Suspended: Job suspended'])
})

test('a job that is active for too long fails, and its pods go', async () => {
  await using bench = await begun({ activeDeadlineSeconds: 20 }, () => 'run')
  await bench.live(18)
  assert.deepEqual(conditions(bench), [])
  await bench.live(4)
  assert.deepEqual(conditions(bench).at(-1), 'Failed DeadlineExceeded')
  assert.equal(bench.pods().length, 0)
})

test('what still runs when a job fails has failed with it, and is not why', async () => {
  const spec = { activeDeadlineSeconds: 20, backoffLimit: 0, completions: 3, parallelism: 2 }
  await using bench = await begun(spec, () => 'run')
  await bench.live(22)
  assert.deepEqual(figures(bench), { active: 0, succeeded: 0, failed: 2 })
  assert.deepEqual(conditions(bench), ['FailureTarget DeadlineExceeded', 'Failed DeadlineExceeded'])
  assert.deepEqual([bench.pods().length, bench.status(job())['uncountedTerminatedPods']], [0, {}])
  assert.equal(bench.events('Job').filter((each) => each.startsWith('DeadlineExceeded: ')).length, 1)
})

test('a rule may end the job at once, or let a failure count for nothing', async () => {
  const rules = (action: string, values: readonly number[]) => ({
    podFailurePolicy: { rules: [{ action, onExitCodes: { operator: 'In', values: [...values] } }] },
  })
  await using ended = await begun(rules('FailJob', [1]), () => 'fail')
  assert.deepEqual(conditions(ended).at(-1), 'Failed PodFailurePolicy')
  const { message } = conditionOf(ended.now(job()), 'Failed') ?? {}
  assert.match(
    String(message),
    /^Container main for pod default\/sum-\w{5} failed with exit code 1 matching FailJob rule at index 0$/,
  )
  let failures = 0
  await using ignored = await begun({ backoffLimit: 0, ...rules('Ignore', [1, 2]) }, () =>
    failures++ < 2 ? 'fail' : 'succeed',
  )
  await ignored.live(5)
  assert.deepEqual(figures(ignored), { active: 0, succeeded: 1, failed: 0 })
  assert.deepEqual(conditions(ignored).at(-1), 'Complete CompletionsReached')
})

test('a job that has ended goes by itself after as long as it says, with its pods', async () => {
  await using bench = await begun({ ttlSecondsAfterFinished: 30 }, () => 'succeed')
  await bench.live(28)
  assert.ok(bench.get(job()))
  await bench.live(4)
  assert.deepEqual([bench.get(job()), bench.pods().length], [undefined, 0])
})

test('a job that is deleted takes its pods along, and holds none', async () => {
  await using bench = await begun({ completions: 2, parallelism: 2 }, () => 'run')
  await bench.remove(job())
  await bench.settle()
  assert.deepEqual([bench.get(job()), bench.pods().length], [undefined, 0])
})

test('indexes are written as ranges and read back', () => {
  const cases = ['', '0', '0,1', '0-2', '0,2-4,7', '1,2,4-9']
  for (const text of cases) assert.equal(formatIndexes(parseIndexes(text, 100)), text)
  assert.deepEqual([...parseIndexes('3-10', 5)], [3, 4])
})
