import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import type { Image } from '../cri/runtime.ts'
import { ObstacleError } from '../pod/obstacle.ts'
import { containerOf } from '../testing/pods.ts'
import { containerSecurity } from './security.ts'

const ROOT: Image = { id: 'sha256:1', tags: [], digests: [], bytes: 1, username: '', isPinned: false }
const PLACE = '(pod: "till_shop(u-1)", container: app)'

function security(own: JsonObject, ofPod: JsonObject = {}, image: Partial<Image> = {}) {
  const { pod, container } = containerOf({ securityContext: own }, { securityContext: ofPod })
  return containerSecurity(pod, container, { ...ROOT, ...image })
}

function refusal(own: JsonObject, ofPod: JsonObject = {}, image: Partial<Image> = {}): string {
  try {
    security(own, ofPod, image)
  } catch (error) {
    assert.ok(error instanceof ObstacleError)
    assert.equal(error.waiting.reason, 'CreateContainerConfigError')
    return error.waiting.message
  }
  return ''
}

test('a container without a security context has the defaults of Kubernetes', () => {
  const { maskedPaths = [], readonlyPaths = [], ...rest } = security({})
  assert.deepEqual(rest, {
    runAsUser: { value: 0 },
    ...{ privileged: false, readonlyRootfs: false, noNewPrivs: false },
    seccomp: { profileType: 'Unconfined' },
    namespaceOptions: { network: 'POD', pid: 'CONTAINER', ipc: 'POD' },
  })
  assert.ok(maskedPaths.includes('/proc/kcore') && maskedPaths.includes('/sys/firmware'))
  assert.ok(readonlyPaths.includes('/proc/sys') && readonlyPaths.includes('/proc/sysrq-trigger'))
})

test('what the container says goes before what its pod says, field by field', () => {
  const ofPod = {
    ...{ runAsUser: 1, runAsGroup: 2, fsGroup: 3, supplementalGroups: [4, 5] },
    seLinuxOptions: { level: 's0' },
    seccompProfile: { type: 'RuntimeDefault' },
    appArmorProfile: { type: 'Unconfined' },
  }
  const inherited = security({}, ofPod)
  assert.deepEqual(
    [inherited.runAsUser, inherited.runAsGroup, inherited.supplementalGroups, inherited.selinuxOptions],
    [{ value: 1 }, { value: 2 }, [3, 4, 5], { level: 's0' }],
  )
  assert.deepEqual(
    [inherited.seccomp, inherited.apparmor],
    [{ profileType: 'RuntimeDefault' }, { profileType: 'Unconfined' }],
  )
  const own = security(
    {
      ...{ runAsUser: 7, runAsGroup: 8, privileged: true, readOnlyRootFilesystem: true },
      seLinuxOptions: { type: 'spc_t' },
      seccompProfile: { type: 'Localhost', localhostProfile: 'profiles/audit.json' },
      appArmorProfile: { type: 'Localhost', localhostProfile: 'tight' },
      capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] },
    },
    ofPod,
  )
  assert.deepEqual(
    [own.runAsUser, own.runAsGroup, own.privileged, own.readonlyRootfs, own.selinuxOptions],
    [{ value: 7 }, { value: 8 }, true, true, { type: 'spc_t' }],
  )
  assert.deepEqual(own.seccomp, {
    profileType: 'Localhost',
    localhostRef: '/var/lib/kubelet/seccomp/profiles/audit.json',
  })
  assert.deepEqual(own.apparmor, { profileType: 'Localhost', localhostRef: 'tight' })
  assert.deepEqual(own.capabilities, { addCapabilities: ['NET_ADMIN'], dropCapabilities: ['ALL'] })
})

test('new privileges are given unless the container renounces them', () => {
  const renounced = [{}, { allowPrivilegeEscalation: true }, { allowPrivilegeEscalation: false }].map(
    (own) => security(own).noNewPrivs,
  )
  assert.deepEqual(renounced, [false, false, true])
})

test('the user is the pod’s, else the image’s, by number or by name', () => {
  const users = [security({}, {}, { uid: 1000 }), security({}, {}, { username: 'app' })]
  assert.deepEqual(
    users.map(({ runAsUser, runAsUsername }) => [runAsUser, runAsUsername]),
    [
      [{ value: 1000 }, undefined],
      [undefined, 'app'],
    ],
  )
  assert.equal(security({ runAsUser: 5 }, {}, { username: 'app' }).runAsUsername, undefined)
})

test('a pod may use the namespaces of its node, or have one for all its processes', () => {
  const { pod, container } = containerOf({}, { hostNetwork: true, hostIPC: true, hostPID: true })
  const { namespaceOptions } = containerSecurity(pod, container, ROOT)
  assert.deepEqual(namespaceOptions, { network: 'NODE', pid: 'NODE', ipc: 'NODE' })
  const shared = containerOf({}, { shareProcessNamespace: true })
  assert.equal(containerSecurity(shared.pod, shared.container, ROOT).namespaceOptions?.pid, 'POD')
})

test('a pod that forbids root does not get it, neither from itself nor from an image', () => {
  const not = { runAsNonRoot: true }
  assert.equal(refusal({}, not), `container has runAsNonRoot and image will run as root ${PLACE}`)
  assert.equal(refusal(not, {}, { uid: 0 }), `container has runAsNonRoot and image will run as root ${PLACE}`)
  assert.equal(
    refusal(not, {}, { username: 'app' }),
    `container has runAsNonRoot and image has non-numeric user (app), cannot verify user is non-root ${PLACE}`,
  )
  assert.equal(refusal({ runAsUser: 0 }, not), `container's runAsUser breaks non-root policy ${PLACE}`)
  assert.equal(refusal({}, not, { uid: 1000 }), '')
  assert.equal(refusal({ runAsUser: 5 }, not, { username: 'app' }), '')
  assert.equal(refusal({ runAsNonRoot: false }, not), '', 'the container says otherwise')
})

test('a profile of this node is named below its folder, and by its name', () => {
  const seccomp = (localhostProfile: string) => refusal({ seccompProfile: { type: 'Localhost', localhostProfile } })
  const message = 'seccompProfile.localhostProfile has to be a file below /var/lib/kubelet/seccomp'
  for (const name of ['', '.', '..', '../x', 'a/../../x', '/etc/x']) assert.equal(seccomp(name), message, name)
  for (const name of ['a.json', 'a/../b.json', '..a']) assert.equal(seccomp(name), '', name)
  assert.equal(refusal({ appArmorProfile: { type: 'Localhost' } }), 'missing localhost apparmor profile name')
})
