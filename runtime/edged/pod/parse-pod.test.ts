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
