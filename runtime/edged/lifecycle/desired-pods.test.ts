import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLocalBus } from '../../../platform/bus/index.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { assignedPods, type JsonObject, listed } from '../../../schemas/index.ts'
import type { Pod } from '../pod/pod.ts'
import { mirrorPod } from '../static-pods/mirror-pod.ts'
import { aPod } from '../testing/a-pod.ts'
import { DesiredPods } from './desired-pods.ts'

const KEY = 'shop/till'

/** Pods of a bus and of files, and what was told of them. */
function stage(files?: { readonly isComplete: boolean; readonly pods: readonly Pod[] }) {
  const bus = createLocalBus(new FakeClock(), silentLogger)
  const told: string[] = []
  const state = { ...(files ?? { isComplete: true, pods: [] }) }
  const mirrors = new Map<string, string>()
  let changed: () => void = () => undefined
  const source = {
    list: () => state.pods,
    get isComplete() {
      return state.isComplete
    },
    onChange(handler: () => void) {
      changed = handler
      return { [Symbol.dispose]: () => undefined }
    },
    mirrors: { uidOf: (key: string) => mirrors.get(key) },
  }
  const desired = new DesiredPods({
    bus,
    ...(files ? { files: source } : {}),
    onChange: (uid) => told.push(uid),
    onComplete: () => told.push('complete'),
  })
  desired.start()
  const assign = (pod: JsonObject | undefined, uid = 'u-1') => {
    if (pod) bus.set(assignedPods, KEY, { uid, pod })
    else bus.remove(assignedPods, KEY)
  }
  return {
    ...{ bus, desired, told, mirrors, assign },
    file(pods: readonly Pod[]) {
      state.pods = pods
      changed()
    },
    complete: () => bus.set(listed, 'pods', true),
  }
}

const object = (metadata: JsonObject = {}): JsonObject => ({
  metadata: { name: 'till', namespace: 'shop', uid: 'u-1', ...metadata },
  spec: { containers: [{ name: 'app', image: 'till:1' }] },
})

test('what the cloud assigns is wanted until it takes it back, and each change is told', () => {
  const { desired, told, assign } = stage()
  assign(object())
  assert.deepEqual([desired.uids(), desired.pods().map(({ name }) => name), told], [['u-1'], ['till'], ['u-1']])
  assert.deepEqual([desired.get('u-1')?.isDeleted, desired.get('u-1')?.reportAs], [false, 'u-1'])
  assign(object({ deletionTimestamp: '2026-01-01T00:00:00Z' }))
  assert.equal(desired.get('u-1')?.isDeleted, true)
  assign(undefined)
  assert.deepEqual([desired.get('u-1'), desired.uids(), told], [undefined, [], ['u-1', 'u-1', 'u-1']])
})

test('a pod that took the name of another tells both', () => {
  const { desired, told, assign } = stage()
  assign(object())
  assign(object({ uid: 'u-2' }), 'u-2')
  assert.deepEqual([desired.get('u-1'), desired.uids(), told], [undefined, ['u-2'], ['u-1', 'u-1', 'u-2']])
})

test('what cannot be run here is wanted all the same, so that it says why, and is none of those that run', () => {
  const { desired, assign } = stage()
  assign({ metadata: { name: 'till', namespace: 'shop' }, spec: { containers: [] } })
  const found = desired.get('u-1')
  assert.ok(found && 'refusal' in found.parsed)
  assert.deepEqual([desired.uids(), desired.pods()], [['u-1'], []])
})

test('nobody knows what is not wanted before the cloud and the files have been read', () => {
  const { desired, complete } = stage()
  assert.equal(desired.isComplete, false)
  complete()
  assert.equal(desired.isComplete, true)
  const unread = stage({ isComplete: false, pods: [] })
  unread.complete()
  assert.equal(unread.desired.isComplete, false)
})

test('a pod from a file runs as itself and is reported as its mirror, which is not run', () => {
  const pod = aPod({}, { uid: 'file-1', annotations: { 'kubernetes.io/config.hash': 'abc' } })
  const { desired, told, mirrors, assign } = stage({ isComplete: true, pods: [pod] })
  assert.deepEqual([desired.uids(), desired.get('file-1')?.reportAs], [['file-1'], undefined])
  told.length = 0
  mirrors.set(KEY, 'u-1')
  assign(mirrorPod(pod, { name: 'edge-1', uid: 'n-1' }))
  assert.deepEqual(
    [desired.uids(), desired.get('u-1'), desired.get('file-1')?.reportAs],
    [['file-1'], undefined, 'u-1'],
  )
  assert.deepEqual(told, ['u-1', 'file-1'])
})

test('of files that change, those that are another thing than before are told, and those that went', () => {
  const [kept, gone] = [aPod({}, { uid: 'file-1' }), aPod({}, { uid: 'file-2', name: 'scale' })]
  const { desired, told, file } = stage({ isComplete: true, pods: [kept, gone] })
  assert.deepEqual(told, ['complete', 'file-1', 'file-2'])
  told.length = 0
  const added = aPod({}, { uid: 'file-3', name: 'lamp' })
  file([kept, added])
  assert.deepEqual(told, ['complete', 'file-2', 'file-3'])
  assert.deepEqual(desired.uids(), ['file-1', 'file-3'])
})

test('after its end nobody is told', () => {
  const { desired, told, assign } = stage()
  desired[Symbol.dispose]()
  assign(object())
  assert.deepEqual(told, [])
})
