import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import { silentLogger } from '../../../platform/log/index.ts'
import { systemClock as clock } from '../../../platform/time/index.ts'
import { serveTestApi } from '../../apiserver/testing/serve.ts'
import type { Caller, KubernetesCallers } from './callers.ts'
import { kubernetesFromConfig, kubernetesInside } from './from-config.ts'
import type { Kubernetes } from './kubernetes.ts'
import { CONFIG_MAPS, SERVICE_ACCOUNTS } from './resources.ts'

const log = silentLogger
const MAPS = '/api/v1/namespaces/default/configmaps'

/** The same API on both of its ways, to a cloud half that may do everything. */
async function open(t: TestContext): Promise<readonly (Kubernetes & KubernetesCallers)[]> {
  const api = await serveTestApi(t)
  const far = await kubernetesFromConfig({ text: await readFile(api.kubeconfig, 'utf8') }, { clock, log })
  t.after(() => far[Symbol.dispose]())
  const near = kubernetesInside(api.local({ name: 'cloud', groups: ['system:masters'] }), { clock, log })
  return [far, near]
}

async function tokenOf(kubernetes: Kubernetes, name: string): Promise<Caller> {
  await kubernetes.create(SERVICE_ACCOUNTS, 'default', { metadata: { name } })
  const at = { namespace: 'default', name }
  const answer = await kubernetes.createBelow(SERVICE_ACCOUNTS, at, 'token', {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: {},
  })
  return { token: String(Reflect.get(Object(answer['status']), 'token')) }
}

test('who brings a token is asked for as its owner, on every way, and never with the rights of the cloud half', async (t) => {
  const [far, near] = await open(t)
  assert.ok(far && near)
  const robot = await tokenOf(far, 'robot')
  const signal = AbortSignal.timeout(20_000)
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' } }
  for (const way of [far, near]) {
    // The connection of the cloud half is open already, and known by its certificate.
    assert.equal((await way.send({ method: 'GET', path: MAPS }, 'cloud', signal)).status, 200)
    for (const request of [{ method: 'GET', path: MAPS } as const, { method: 'POST', path: MAPS, body } as const]) {
      const refused = await way.send(request, robot, signal)
      assert.equal(refused.status, 403)
      assert.match(
        String(Reflect.get(Object(refused.body), 'message')),
        /^configmaps is forbidden: User "system:serviceaccount:default:robot" cannot/,
      )
    }
    const unknown = await way.send({ method: 'GET', path: MAPS }, { token: 'nonsense' }, signal)
    assert.equal(unknown.status, 401)
    await assert.rejects(async () => {
      for await (const _ of way.events(`${MAPS}?watch=true`, robot, signal)) assert.fail('it began')
    }, /refused/)
  }
  assert.equal(await far.get(CONFIG_MAPS, { namespace: 'default', name: 'one' }), undefined)
})

test('with the rights that its owner was given, a token reads, writes and watches', async (t) => {
  const [far, near] = await open(t)
  assert.ok(far && near)
  const robot = await tokenOf(far, 'robot')
  const signal = AbortSignal.timeout(20_000)
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name: 'robot' } }
  const path = '/apis/rbac.authorization.k8s.io/v1/namespaces/default'
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['create', 'watch'] }]
  await far.send({ method: 'POST', path: `${path}/roles`, body: { ...rbac, kind: 'Role', rules } }, 'cloud', signal)
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'robot' }
  const subjects = [{ kind: 'ServiceAccount', name: 'robot', namespace: 'default' }]
  const binding = { ...rbac, kind: 'RoleBinding', roleRef, subjects }
  await far.send({ method: 'POST', path: `${path}/rolebindings`, body: binding }, 'cloud', signal)
  for (const [name, way] of Object.entries({ far, near })) {
    const events = way
      .events(`${MAPS}?watch=true&fieldSelector=metadata.name=${name}`, robot, signal)
      [Symbol.asyncIterator]()
    assert.equal((await events.next()).value, undefined)
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } }
    assert.equal((await way.send({ method: 'POST', path: MAPS, body }, robot, signal)).status, 201)
    const { value } = await events.next()
    assert.deepEqual([Reflect.get(Object(value), 'type'), Object(value).object.metadata.name], ['ADDED', name])
    await events.return?.()
  }
})
