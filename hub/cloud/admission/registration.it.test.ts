import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { connect } from 'node:tls'
import { createScope } from '../../../platform/lifecycle/index.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import { minutes, seconds, systemClock, systemRandom } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { openAuthority } from '../authority/open-authority.ts'
import { CUSTOM_RESOURCE_DEFINITIONS, MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS } from '../kubernetes/resources.ts'
import { FakeKubernetes } from '../testing/fake-kubernetes.ts'
import { type AdmissionOptions, createAdmissionModule } from './module.ts'

const CRDS = ['devices.devices.kubeedge.io', 'devicemodels.devices.kubeedge.io']
const WEBHOOK = { name: 'skerry-devices' }
const POD_WEBHOOK = { name: 'skerry-pods' }

/** An authority with a CA of its own. */
function authority() {
  const ports = { kubernetes: new FakeKubernetes(), clock: systemClock, random: systemRandom }
  return openAuthority({ names: ['127.0.0.1'], certificateDays: 1 }, ports, new AbortController().signal)
}

async function setup(t: TestContext, options: Partial<AdmissionOptions> = {}) {
  const kubernetes = new FakeKubernetes()
  const clock = new FakeClock()
  for (const name of CRDS)
    await kubernetes.create(CUSTOM_RESOURCE_DEFINITIONS, undefined, { metadata: { name }, spec: {} })
  const holder = { current: await authority() }
  const admission = createAdmissionModule(
    { host: '127.0.0.1', port: 0, ...options },
    { kubernetes, clock, random: systemRandom, log: silentLogger, authority: holder },
  )
  const onCrash = (error: unknown) => assert.fail(String(error))
  const scope = createScope('admission', { clock: systemClock, log: silentLogger, deadline: seconds(5), onCrash })
  t.after(() => scope[Symbol.asyncDispose]())
  await admission.start(scope)
  const look = () => clock.advance(minutes(5))
  await clock.advance(seconds(1))
  const registered = async () => [
    await kubernetes.get(VALIDATING_WEBHOOKS, WEBHOOK),
    await kubernetes.get(MUTATING_WEBHOOKS, POD_WEBHOOK),
    ...(await Promise.all(CRDS.map((name) => kubernetes.get(CUSTOM_RESOURCE_DEFINITIONS, { name })))),
  ]
  return { kubernetes, holder, admission, look, registered }
}

test('a CA that is another one in the running process is registered for all webhooks, and its certificate is shown', async (t) => {
  const { holder, admission, look, registered } = await setup(t)
  holder.current = await authority()
  const { caPem: ca } = holder.current
  await look()
  for (const object of await registered())
    assert.ok(JSON.stringify(object).includes(Buffer.from(ca).toString('base64')))
  const socket = connect({ host: '127.0.0.1', port: admission.port, ca })
  await once(socket, 'secureConnect')
  socket.destroy()
})

test('what somebody has changed or removed of a registration is put right, and nothing is written where all is well', async (t) => {
  const { kubernetes, look, registered } = await setup(t)
  const before = (await registered()).map((object) => object && Reflect.get(object, 'webhooks'))
  const writes = kubernetes.writes.length
  await look()
  assert.equal(kubernetes.writes.length, writes)
  const webhooks = JSON.parse(JSON.stringify(before[0]))
  // As an API server fills in what was left out.
  for (const webhook of webhooks) webhook.namespaceSelector = {}
  await kubernetes.patch(VALIDATING_WEBHOOKS, WEBHOOK, { webhooks }, { type: 'merge' })
  await look()
  assert.equal(kubernetes.writes.length, writes + 1)
  for (const webhook of webhooks) webhook.rules = []
  await kubernetes.patch(VALIDATING_WEBHOOKS, WEBHOOK, { webhooks }, { type: 'merge' })
  await look()
  assert.match(JSON.stringify(await kubernetes.get(VALIDATING_WEBHOOKS, WEBHOOK)), /"devicemodels"/)
  await kubernetes.delete(VALIDATING_WEBHOOKS, WEBHOOK)
  const everyPod = JSON.parse(JSON.stringify(before[1])).map((webhook: object) => ({ ...webhook, objectSelector: {} }))
  await kubernetes.patch(MUTATING_WEBHOOKS, POD_WEBHOOK, { webhooks: everyPod }, { type: 'merge' })
  await look()
  const [ofPods] = Object(await kubernetes.get(MUTATING_WEBHOOKS, POD_WEBHOOK)).webhooks
  assert.deepEqual(ofPods.objectSelector, { matchLabels: { 'app-offline.kubeedge.io': 'autonomy' } })
  assert.match(JSON.stringify(await kubernetes.get(VALIDATING_WEBHOOKS, WEBHOOK)), /"devicemodels"/)
})

test('in a pod the API server is told of a Service, in place of the URL of an earlier installation', async (t) => {
  const service = { namespace: 'kubeedge', name: 'skerry-cloud-internal', port: 443 }
  const { kubernetes, registered, look } = await setup(t, { service })
  const url = 'https://192.0.2.1/convert'
  const webhook = { clientConfig: { url }, conversionReviewVersions: ['v1'] }
  const patch = { spec: { conversion: { strategy: 'Webhook', webhook } } }
  for (const name of CRDS) await kubernetes.patch(CUSTOM_RESOURCE_DEFINITIONS, { name }, patch, { type: 'merge' })
  await look()
  const [validation, pods, ...definitions] = await registered()
  const places = [...[validation, pods].map(firstOf), ...definitions.map(webhookOf)].map((each) => {
    const { caBundle, ...place } = each.clientConfig
    assert.ok(caBundle)
    return place
  })
  const at = (path: string) => ({ service: { ...service, path } })
  assert.deepEqual(places, [at('/validate'), at('/pods'), at('/convert'), at('/convert')])
})

test('a URL that is configured is that of validation, and the other webhooks are beside it', async (t) => {
  const { registered } = await setup(t, { url: 'https://hub.example/skerry/validate' })
  const [validation, pods, ...definitions] = await registered()
  const urls = [...[validation, pods].map(firstOf), ...definitions.map(webhookOf)].map(
    ({ clientConfig }) => clientConfig.url,
  )
  const at = (path: string) => `https://hub.example/skerry/${path}`
  assert.deepEqual(urls, [at('validate'), at('pods'), at('convert'), at('convert')])
})

function firstOf(configuration: object | undefined) {
  return Object(configuration).webhooks[0]
}

function webhookOf(definition: object | undefined) {
  return Object(definition).spec.conversion.webhook
}
