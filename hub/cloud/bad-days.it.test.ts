import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { WebSocket } from 'ws'
import { createMetrics } from '../../platform/health/index.ts'
import { memoryLogger } from '../../platform/log/testing/index.ts'
import { afterTurn, seconds, systemClock } from '../../platform/time/index.ts'
import { crds } from '../../schemas/crd/index.ts'
import { type ServedApi, serveTestApi } from '../apiserver/testing/serve.ts'
import { kubernetesFromConfig } from './kubernetes/from-config.ts'
import type { Kubernetes } from './kubernetes/kubernetes.ts'
import { CUSTOM_RESOURCE_DEFINITIONS, DEVICE_MODELS, DEVICES } from './kubernetes/resources.ts'
import { FaultServer } from './testing/faults/fault-server.ts'
import { onlyFor, refuses } from './testing/faults/faults.ts'
import { pumpDevice, pumpModel } from './testing/harness.ts'
import { dialAsEdge } from './testing/receiving-edge.ts'
import { join, startTlsCloud } from './testing/tls-cloud.ts'

const PATIENCE = seconds(40)
const PUMP = 'insert default/device/pump-1'

/** The cloud half on an API with these definitions, through a server that can fail. */
async function start(t: TestContext, definitions: readonly object[]) {
  const releases: (() => Promise<void>)[] = []
  const api: ServedApi = await serveTestApi({ after: (release) => void releases.push(release) })
  const server = await FaultServer.start(api)
  const ports = { clock: systemClock, log: memoryLogger() }
  const admin = await kubernetesFromConfig({ file: api.kubeconfig }, ports)
  await apply(admin, definitions)
  const metrics = createMetrics()
  const client = await kubernetesFromConfig({ text: server.kubeconfig() }, { ...ports, metrics })
  let waitsFor: string | undefined
  const log = memoryLogger()
  const told: string[] = []
  const onPending = (module: string, what: string | undefined) => {
    if (module !== 'KubernetesCache') return
    waitsFor = what
    if (what !== undefined) told.push(what)
  }
  const cloud = await startTlsCloud(t, { api: client, metrics, log, onPending })
  t.after(async () => {
    client[Symbol.dispose]()
    admin[Symbol.dispose]()
    await server[Symbol.asyncDispose]()
    for (const release of releases) await release()
  })
  const identity = await join(cloud, 'edge-1')
  return { api, server, admin, cloud, metrics, log, told, identity, waitsFor: () => waitsFor }
}

async function apply(admin: Kubernetes, definitions: readonly object[]): Promise<void> {
  for (const each of definitions) await admin.create(CUSTOM_RESOURCE_DEFINITIONS, undefined, each)
}

async function applyPump(admin: Kubernetes): Promise<void> {
  await eventually('the definitions are served', async () => {
    await admin.list(DEVICE_MODELS, {})
    await admin.list(DEVICES, {})
    return true
  })
  await admin.create(DEVICE_MODELS, 'default', pumpModel())
  await admin.create(DEVICES, 'default', pumpDevice('pump-1'))
}

async function eventually(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
  const begun = systemClock.monotonic()
  for (;;) {
    try {
      if (await isSo()) return
    } catch {
      // It may come to be.
    }
    if (systemClock.monotonic() - begun > PATIENCE.milliseconds) throw new Error(`${what} has not come to be`)
    await new Promise<void>((resolve) => afterTurn(resolve))
  }
}

const named = (part: string) => crds.filter(({ metadata }) => metadata.name.startsWith(part))

test('without its definitions the cloud half starts and says what to apply, and goes on once they are there', async (t) => {
  const { admin, cloud, told, identity, waitsFor } = await start(t, [])
  const edge = dialAsEdge(t, cloud, identity)
  await edge.opened
  await eventually('it says what to apply', () =>
    told.some((text) => text.includes('does not serve devices.kubeedge.io/v1beta1')),
  )
  assert.match(waitsFor() ?? '', /apply the definitions that "skerry crds" prints/)
  await apply(admin, crds)
  await applyPump(admin)
  await edge.received(PUMP)
  await eventually('nothing is waited for', () => waitsFor() === undefined)
  assert.equal(edge.socket.readyState, WebSocket.OPEN)
})

test('one definition that is missing, or of another version, holds up nothing that does not need it', async (t) => {
  const missing = 'rules.rules.kubeedge.io'
  const { admin, cloud, told, identity, waitsFor } = await start(
    t,
    crds.filter(({ metadata }) => metadata.name !== missing),
  )
  const old = named(missing).map((crd) =>
    JSON.parse(JSON.stringify(crd).replaceAll('"v1"', '"v1alpha2"').replace('/v1alpha2"', '/v1"')),
  )
  assert.equal(JSON.stringify(old).includes('apiextensions.k8s.io/v1"'), true)
  await apply(admin, old)
  await applyPump(admin)
  const edge = dialAsEdge(t, cloud, identity)
  await edge.received(PUMP)
  await eventually('it says what is missing', () =>
    told.some((text) => /news of Rule .*rules.kubeedge.io\/v1:/.test(text)),
  )
  await admin.delete(CUSTOM_RESOURCE_DEFINITIONS, { name: missing })
  await eventually(
    'it is gone',
    async () => (await admin.get(CUSTOM_RESOURCE_DEFINITIONS, { name: missing })) === undefined,
  )
  await apply(admin, named(missing))
  await eventually('nothing is waited for', () => waitsFor() === undefined)
})

test('definitions that are deleted while it runs, and come back, are followed again', async (t) => {
  const { admin, cloud, told, identity, waitsFor, server } = await start(t, crds)
  await applyPump(admin)
  const edge = dialAsEdge(t, cloud, identity)
  await edge.received(PUMP)
  const gone = ['devices.devices.kubeedge.io', 'devicestatuses.devices.kubeedge.io']
  for (const name of gone) await admin.delete(CUSTOM_RESOURCE_DEFINITIONS, { name })
  await edge.received('delete default/device/pump-1')
  // As an API server does with watches of a kind that is gone.
  server.cut()
  await eventually('it says what is missing', () =>
    told.some((text) => text.includes('does not serve devices.kubeedge.io/v1beta1')),
  )
  await apply(
    admin,
    crds.filter(({ metadata }) => gone.includes(metadata.name)),
  )
  edge.got.length = 0
  await eventually('the definitions are served', async () => {
    await admin.create(DEVICES, 'default', pumpDevice('pump-1'))
    return true
  })
  await edge.received(PUMP)
  await eventually('nothing is waited for', () => waitsFor() === undefined)
  await eventually('its status is written', async () => {
    const device = await admin.get(DEVICES, { namespace: 'default', name: 'pump-1' })
    return (device?.status?.conditions ?? []).length > 0
  })
})

test('a definition that is older is told by what it lacks, and devices reach their edge all the same', async (t) => {
  const older = crds.map((crd) =>
    crd.metadata.name === 'devices.devices.kubeedge.io'
      ? JSON.parse(JSON.stringify(crd).replaceAll('"subresources":{"status":{}},', ''))
      : crd,
  )
  const { admin, cloud, told, identity } = await start(t, older)
  await applyPump(admin)
  const edge = dialAsEdge(t, cloud, identity)
  await edge.received(PUMP)
  await eventually('it says what is lacking', () =>
    told.some((text) =>
      /devices.devices.kubeedge.io .*apply what `skerry crds` prints: v1beta1 has no subresource status/.test(text),
    ),
  )
})

test('a role that lacks one kind, and then an API that is away: edges stay, few requests, and all goes on by itself', async (t) => {
  const { server, admin, cloud, told, identity, waitsFor, metrics } = await start(t, crds)
  await applyPump(admin)
  const edge = dialAsEdge(t, cloud, identity)
  await edge.received(PUMP)
  const isRule = onlyFor(
    (request) => request.url?.includes('/ruleendpoints') === true,
    refuses(403, 'Forbidden', 'ruleendpoints.rules.kubeedge.io is forbidden: User "skerry" cannot list'),
  )
  server.fault = isRule
  server.cut()
  await eventually('the role is told', () => told.some((text) => /news of RuleEndpoint .*is forbidden/.test(text)))
  await admin.create(DEVICES, 'default', pumpDevice('pump-2'))
  await edge.received('insert default/device/pump-2')
  server.fault = undefined
  await eventually('nothing is waited for', () => waitsFor() === undefined)
  await server.shut()
  await eventually('the outage is told', () => /ECONNREFUSED/.test(waitsFor() ?? ''))
  await admin.create(DEVICES, 'default', pumpDevice('pump-3'))
  const failures = async () =>
    [...(await metrics.text()).matchAll(/^skerry_kubernetes_watch_failures_total\{.*"Unreachable"\} (\d+)$/gm)].reduce(
      (sum, [, count]) => sum + Number(count),
      0,
    )
  await eventually('it is tried again', async () => (await failures()) >= 30)
  assert.equal(edge.socket.readyState, WebSocket.OPEN)
  await server.open()
  await edge.received('insert default/device/pump-3')
  await eventually('nothing is waited for', () => waitsFor() === undefined)
  assert.deepEqual(
    edge.got.filter((line) => line.startsWith('delete')),
    [],
  )
  assert.match(await metrics.text(), /^skerry_kubernetes_requests_total\{verb="patch",outcome="ok"\} [1-9]/m)
})
