import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import { parsePod } from './parse-pod.ts'

const WITH = (spec: JsonObject, metadata: JsonObject = {}): JsonObject => ({
  metadata: { name: 'till', namespace: 'shop', uid: 'u-1', ...metadata },
  spec: { containers: [{ name: 'app', image: 'till:1' }], ...spec },
})

test('a pod is read with the defaults of Kubernetes', () => {
  const parsed = parsePod(WITH({}))
  assert.ok('pod' in parsed)
  const { spec, uid, deletion } = parsed.pod
  assert.deepEqual(
    [uid, deletion, spec.restartPolicy, spec.terminationGracePeriodSeconds, spec.dnsPolicy, spec.securityContext],
    ['u-1', undefined, 'Always', 30, 'ClusterFirst', { supplementalGroups: [], sysctls: [] }],
  )
  const [container] = spec.containers
  assert.deepEqual(
    [container?.terminationMessagePath, container?.lifecycle, container?.resources],
    ['/dev/termination-log', {}, { limits: {}, requests: {} }],
  )
})

test('a pod that has to end says with how much grace', () => {
  const parsed = parsePod(WITH({}, { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 7 }))
  assert.ok('pod' in parsed)
  assert.deepEqual(parsed.pod.deletion, { graceSeconds: 7 })
})

test('names that would lead elsewhere as parts of paths are refused', () => {
  const refused = (spec: JsonObject, metadata: JsonObject = {}) => {
    const parsed = parsePod(WITH(spec, metadata))
    return 'refusal' in parsed ? parsed.refusal.split(':')[0] : undefined
  }
  assert.equal(refused({}, { uid: '../..' }), 'metadata.uid "../.." is not valid')
  assert.equal(refused({}, { uid: '' }), 'metadata.uid "" is not valid')
  assert.equal(refused({}, { name: '..' }), 'metadata.name ".." is not valid')
  assert.equal(refused({}, { namespace: 'a/b' }), 'metadata.namespace "a/b" is not valid')
  const container = { name: '../../x', image: 'till:1' }
  assert.equal(refused({ containers: [container] }), 'container name "../../x" is not valid')
  assert.equal(refused({ initContainers: [container] }), 'container name "../../x" is not valid')
})

test('the uid under which a pod was assigned counts', () => {
  const parsed = parsePod(WITH({}, { uid: 'u-2' }), { uid: 'u-1' })
  assert.ok('pod' in parsed)
  assert.equal(parsed.pod.uid, 'u-1')
})

test('what this node does not do is refused with its place, and nothing is passed over', () => {
  const app = { name: 'app', image: 'till:1' }
  const cases: readonly (readonly [JsonObject, string])[] = [
    [{ resourceClaims: [] }, 'spec.resourceClaims is not supported on this node'],
    [
      { volumes: [{ name: 'a', persistentVolumeClaim: { claimName: 'x' } }] },
      'spec.volumes[0].persistentVolumeClaim is not supported on this node',
    ],
    [{ containers: [{ ...app, volumeDevices: [] }] }, 'spec.containers[0].volumeDevices is not supported on this node'],
    [{ hostUsers: false }, 'spec.hostUsers may only be true on this node'],
    [{ os: { name: 'windows' } }, 'spec.os.name may only be "linux" on this node'],
    [{ containers: [{ name: 'app' }] }, 'spec.containers[0] must have required properties image'],
    [
      { containers: [{ ...app, resources: { limits: { memory: 'much' } } }] },
      'container app: resources.limits.memory "much" is not an amount',
    ],
    [
      { containers: [{ ...app, resources: { requests: { cpu: -1 } } }] },
      'container app: resources.requests.cpu "-1" is not an amount',
    ],
    [
      { containers: [{ ...app, resources: { limits: { memory: '900E' } } }] },
      'container app: resources.limits.memory "900E" is not an amount',
    ],
    [
      { containers: [{ ...app, resources: { limits: { 'example.com/gpu': 1 } } }] },
      'container app: resources.limits.example.com/gpu is not supported on this node',
    ],
    [{ volumes: [{ name: 'a', emptyDir: { sizeLimit: 'x' } }] }, 'volume a: sizeLimit "x" is not an amount'],
    [{ securityContext: { runAsUser: 2 ** 31 } }, 'spec.securityContext.runAsUser must be <= 2147483647'],
    [
      { containers: [{ ...app, lifecycle: { preStop: { sleep: { seconds: -5 } } } }] },
      'spec.containers[0].lifecycle.preStop.sleep.seconds must be >= 0',
    ],
    [
      { containers: [{ ...app, livenessProbe: { grpc: { port: 0 } } }] },
      'spec.containers[0].livenessProbe.grpc.port must be >= 1',
    ],
    [{ containers: [app, app] }, 'two containers are called app'],
    [
      { containers: [{ ...app, volumeMounts: [{ name: 'a', mountPath: '/a' }] }] },
      'container app mounts volume a, which spec.volumes does not have',
    ],
    [
      { containers: [{ ...app, restartPolicy: 'Always' }] },
      'spec.containers: app has a restartPolicy of its own, which only init containers have here',
    ],
  ]
  for (const [spec, refusal] of cases) {
    assert.deepEqual(parsePod(WITH(spec)), { identity: { uid: 'u-1', name: 'till', namespace: 'shop' }, refusal })
  }
})
