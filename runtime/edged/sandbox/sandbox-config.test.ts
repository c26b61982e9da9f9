import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import { ObstacleError } from '../pod/obstacle.ts'
import { podOf } from '../testing/pods.ts'
import { runtimeHandler } from './runtime-handler.ts'
import { sandboxConfig } from './sandbox-config.ts'

const DNS = { servers: ['10.0.0.1'], searches: [], options: [] }

function sandbox(spec: JsonObject, metadata: JsonObject = {}, allowedSysctls: readonly string[] = []) {
  const pod = podOf(spec, metadata)
  const rest = { attempt: 2, owner: 'edge', logDirectory: '/logs/shop_till_u-1', dns: DNS, nodeName: 'till-7' }
  return sandboxConfig({ pod, ...rest, allowedSysctls })
}

function refusal(make: () => unknown): { reason: string; message: string } {
  try {
    make()
  } catch (error) {
    if (error instanceof ObstacleError) return error.waiting
  }
  throw new assert.AssertionError({ message: 'it was not refused' })
}

test('a sandbox says whose it is, and what its pod is', () => {
  const labels = { app: 'till', 'skerry.io/owner': 'not me' }
  const made = sandbox({}, { labels, annotations: { note: 'x' } })
  assert.deepEqual(made, {
    metadata: { name: 'till', namespace: 'shop', uid: 'u-1', attempt: 2 },
    ...{ hostname: 'till', logDirectory: '/logs/shop_till_u-1', dnsConfig: DNS },
    labels: {
      app: 'till',
      'io.kubernetes.pod.name': 'till',
      'io.kubernetes.pod.namespace': 'shop',
      'io.kubernetes.pod.uid': 'u-1',
      'skerry.io/owner': 'edge',
    },
    annotations: { note: 'x' },
    linux: {
      securityContext: {
        namespaceOptions: { network: 'POD', pid: 'CONTAINER', ipc: 'POD' },
        privileged: false,
        seccomp: { profileType: 'RuntimeDefault' },
      },
    },
  })
})

test('a pod’s own words about its users are the sandbox’s as well', () => {
  const { linux } = sandbox({
    securityContext: {
      runAsUser: 1,
      runAsGroup: 2,
      fsGroup: 3,
      supplementalGroups: [4],
      seLinuxOptions: { level: 's0' },
    },
    initContainers: [{ name: 'first', image: 'a', securityContext: { privileged: true } }],
  })
  const { runAsUser, runAsGroup, supplementalGroups, selinuxOptions, privileged } = linux?.securityContext ?? {}
  assert.deepEqual(
    [runAsUser, runAsGroup, supplementalGroups, selinuxOptions, privileged],
    [{ value: 1 }, { value: 2 }, [3, 4], { level: 's0' }, true],
  )
  const groupAlone = sandbox({ securityContext: { runAsGroup: 2 } }).linux?.securityContext
  assert.equal(groupAlone?.runAsGroup, undefined, 'a runtime refuses a group without a user')
})

test('ports of the node lead to the pod, unless it is on the network of the node', () => {
  const ports = [
    { containerPort: 80, hostPort: 8080 },
    { containerPort: 80, hostPort: 8080, name: 'again' },
    { containerPort: 53, hostPort: 53, hostIP: '127.0.0.1', protocol: 'UDP' },
    { containerPort: 9000 },
  ]
  const proxy = { name: 'proxy', image: 'a', restartPolicy: 'Always', ports: [{ containerPort: 1, hostPort: 81 }] }
  const first = { name: 'first', image: 'a', ports: [{ containerPort: 2, hostPort: 82 }] }
  const spec = { containers: [{ name: 'app', image: 'a', ports }], initContainers: [proxy, first] }
  assert.deepEqual(sandbox(spec).portMappings, [
    { protocol: 'TCP', containerPort: 1, hostPort: 81 },
    { protocol: 'TCP', containerPort: 80, hostPort: 8080 },
    { protocol: 'UDP', containerPort: 53, hostPort: 53, hostIp: '127.0.0.1' },
  ])
  const onHost = sandbox({ ...spec, hostNetwork: true })
  assert.deepEqual([onHost.portMappings, 'hostname' in onHost], [undefined, false])
})

test('kernel parameters are set where each pod has its own, and refused where they are the node’s', () => {
  const wanted = (name: string) => ({ securityContext: { sysctls: [{ name, value: '1' }] } })
  assert.deepEqual(sandbox(wanted('net.ipv4.tcp_syncookies')).linux?.sysctls, { 'net.ipv4.tcp_syncookies': '1' })
  const allowed = ['net.core.*', 'kernel.msgmax', 'vm.*']
  assert.deepEqual(sandbox(wanted('net.core.somaxconn'), {}, allowed).linux?.sysctls, { 'net.core.somaxconn': '1' })
  const cases: readonly (readonly [string, JsonObject, string])[] = [
    ['net.core.somaxconn', {}, 'forbidden sysctl: "net.core.somaxconn" not allowlisted'],
    ['vm.swappiness', {}, 'forbidden sysctl: "vm.swappiness" not allowlisted'],
    [
      'net.ipv4.tcp_syncookies',
      { hostNetwork: true },
      'forbidden sysctl: "net.ipv4.tcp_syncookies" not allowed with host Net enabled',
    ],
    [
      'kernel/shm_rmid_forced',
      { hostIPC: true },
      'forbidden sysctl: "kernel.shm_rmid_forced" not allowed with host IPC enabled',
    ],
  ]
  for (const [name, spec, message] of cases) {
    const refused = refusal(() => sandbox({ ...wanted(name), ...spec }, {}, name.startsWith('vm') ? allowed : []))
    assert.deepEqual(refused, { reason: 'SysctlForbidden', message })
  }
})

test('a pod’s name for its machine follows the rules of Kubernetes', () => {
  const long = 'x'.repeat(62)
  const cases: readonly (readonly [JsonObject, JsonObject, string])[] = [
    [{}, {}, 'till'],
    [{ hostname: 'desk' }, {}, 'desk'],
    [{ hostname: 'desk', subdomain: 'hall' }, {}, 'desk'],
    [{ hostname: 'desk', subdomain: 'hall', setHostnameAsFQDN: true }, {}, 'desk.hall.shop.svc.cluster.local'],
    [{ setHostnameAsFQDN: true }, {}, 'till'],
    [{}, { name: `${long}yz` }, `${long}y`],
    [{}, { name: `${long}.yz` }, long],
  ]
  for (const [spec, metadata, name] of cases) assert.equal(sandbox(spec, metadata).hostname, name)
  const refused = (spec: JsonObject, metadata: JsonObject = {}) => refusal(() => sandbox(spec, metadata)).message
  assert.match(refused({ hostname: 'Desk' }), /pod Hostname "Desk" is not a valid DNS label$/)
  assert.match(refused({ subdomain: 'a.b' }), /pod Subdomain "a.b" is not a valid DNS label$/)
  assert.match(
    refused({ subdomain: 'hall', setHostnameAsFQDN: true }, { name: long }),
    /FQDN x+\.hall\.shop\.svc\.cluster\.local is too long \(64 characters is the max, 90 characters requested\)$/,
  )
})

test('a runtime class is a handler that the runtime has', () => {
  const handlers = ['', 'runc', 'kata']
  const handler = (spec: JsonObject, known: readonly string[] = handlers) => runtimeHandler(podOf(spec), known)
  assert.equal(handler({}), '')
  assert.equal(handler({ runtimeClassName: 'kata' }), 'kata')
  assert.equal(handler({ runtimeClassName: 'gvisor' }, []), 'gvisor', 'this runtime does not say what it has')
  assert.deepEqual(
    refusal(() => handler({ runtimeClassName: 'gvisor' })),
    {
      reason: 'FailedCreatePodSandBox',
      message:
        'Failed to create sandbox for pod "till_shop(u-1)": RuntimeClass "gvisor" not found: the container runtime of this node has runc, kata',
    },
  )
})
