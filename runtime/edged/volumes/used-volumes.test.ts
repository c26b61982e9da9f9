import assert from 'node:assert/strict'
import { test } from 'node:test'
import { podWith } from './testing/volumes-stage.ts'
import { contradictionOf, emptyDirOf, usedVolumes } from './used-volumes.ts'

test('only what a container mounts is made, also of one that runs first', () => {
  const first = { name: 'first', image: 'a', volumeMounts: [{ name: 'c', mountPath: '/c' }] }
  const app = { volumeMounts: [{ name: 'a', mountPath: '/a' }] }
  const pod = podWith([{ name: 'a' }, { name: 'b' }, { name: 'c' }], { initContainers: [first] }, app)
  assert.deepEqual(
    usedVolumes(pod).map(({ name }) => name),
    ['a', 'c'],
  )
})

test('a volume that says nothing is a folder of the pod', () => {
  const [plain, named] = podWith([{ name: 'a' }, { name: 'b', hostPath: { path: '/b' } }]).spec.volumes
  assert.ok(plain && named)
  assert.deepEqual([emptyDirOf(plain), emptyDirOf(named)], [{ medium: '' }, undefined])
})

test('volumes that contradict each other or themselves are named', () => {
  const volumes = (...list: Parameters<typeof podWith>[0]) => contradictionOf(podWith(list, {}, { volumeMounts: [] }))
  assert.equal(volumes({ name: 'a' }, { name: 'b' }), undefined)
  assert.deepEqual(volumes({ name: 'a' }, { name: 'a' }), ['a', 'two volumes are called so'])
  assert.deepEqual(volumes({ name: '../../etc' }), ['../../etc', 'its name has to be of letters, digits and hyphens'])
  assert.deepEqual(volumes({ name: 'a', emptyDir: {}, hostPath: { path: '/' } }), [
    'a',
    'it is emptyDir and hostPath at once; choose one',
  ])
})
