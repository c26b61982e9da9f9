import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { generateKeyPair, pemOf } from '../../../../platform/certificates/index.ts'
import { createCsr } from '../../../../platform/certificates/issuing/index.ts'
import { afterTurn } from '../../../../platform/time/index.ts'
import type { Json } from '../../../../schemas/index.ts'
import {
  CONFIG_MAPS,
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  SECRETS,
  SERVICE_ACCOUNTS,
} from '../../kubernetes/resources.ts'
import { makePod, shopPod, startEdgeController } from '../../testing/edge-controller-bench.ts'

async function setup(t: TestContext) {
  const bench = await startEdgeController()
  t.after(() => bench.stop())
  const edge = bench.connect('edge-1')
  await bench.settle()
  for (const name of ['mine', 'theirs']) {
    await bench.make(SECRETS, 'shop', { metadata: { name, namespace: 'shop' }, data: { a: 'eA==' } })
    await bench.make(CONFIG_MAPS, 'shop', { metadata: { name, namespace: 'shop' }, data: { a: 'x' } })
  }
  const envFrom = (name: string) => [{ configMapRef: { name } }, { secretRef: { name } }]
  const pod = (name: string, node: string, uses: string) =>
    makePod(
      bench,
      shopPod(name, node, {
        serviceAccountName: 'robot',
        containers: [{ name: 'main', envFrom: envFrom(uses) }],
        volumes: [{ name: 'disk', persistentVolumeClaim: { claimName: uses } }],
      }),
    )
  const mine = await pod('till', 'edge-1', 'mine')
  const theirs = await pod('other', 'edge-2', 'theirs')
  await bench.settle(1000)
  const ask = (operation: string, resource: string, content: Json = null) =>
    bench.ask(edge, operation, resource, content)
  return { bench, edge, ask, uid: mine.metadata.uid ?? '', theirUid: theirs.metadata.uid ?? '' }
}

test('a node reads what its pods use as bare objects, and nothing else', async (t) => {
  const { ask, edge } = await setup(t)
  for (const kind of ['secret', 'configmap']) {
    const answer = await ask('query', `shop/${kind}/mine`)
    assert.deepEqual([answer?.route.operation, answer?.route.group], ['response', 'resource'])
    assert.match(JSON.stringify(answer?.content), /^\{.*"name":"mine"/)
    for (const name of ['theirs', 'missing']) {
      const refused = await ask('query', `shop/${kind}/${name}`)
      assert.deepEqual([refused?.route.operation, typeof refused?.content], ['error', 'string'], name)
    }
  }
  assert.equal((await ask('query', 'shop/secret'))?.route.operation, 'error')
  assert.equal(edge.closed, undefined)
})

test('a secret that is deleted while a pod uses it is an error, never an object', async (t) => {
  const { ask, bench } = await setup(t)
  await bench.kubernetes.delete(SECRETS, { namespace: 'shop', name: 'mine' })
  await bench.settle(1000)
  const answer = await ask('query', 'shop/secret/mine')
  assert.deepEqual([answer?.route.operation, answer?.content], ['error', 'secrets "mine" not found'])
})

test('claims and volumes are read by the node whose pods use them', async (t) => {
  const { ask, bench } = await setup(t)
  for (const name of ['mine', 'theirs']) {
    await bench.make(PERSISTENT_VOLUME_CLAIMS, 'shop', { metadata: { name, namespace: 'shop' }, spec: {} })
    const spec = { claimRef: { namespace: 'shop', name } }
    await bench.make(PERSISTENT_VOLUMES, undefined, { metadata: { name: `pv-${name}` }, spec })
  }
  const operations = []
  for (const resource of [
    'shop/persistentvolumeclaim/mine',
    'shop/persistentvolumeclaim/theirs',
    'null/persistentvolume/pv-mine',
    'null/persistentvolume/pv-theirs',
  ]) {
    operations.push((await ask('query', resource))?.route.operation)
  }
  assert.deepEqual(operations, ['response', 'error', 'response', 'error'])
})

test('tokens are for pods of the node, under their own service account, and bound to them', async (t) => {
  const { ask, bench, edge, uid, theirUid } = await setup(t)
  const request = (name: string, podUid: string) => ({
    spec: { audiences: ['api'], expirationSeconds: 3600, boundObjectRef: { kind: 'Pod', name, uid: podUid } },
  })
  const missing = await ask('query', 'shop/serviceaccounttoken/robot', request('till', uid))
  assert.deepEqual([missing?.route.operation, missing?.content], ['error', 'serviceaccounts "robot" not found'])
  await bench.make(SERVICE_ACCOUNTS, 'shop', { metadata: { name: 'robot', namespace: 'shop' } })
  const answer = await ask('query', 'shop/serviceaccounttoken/robot', JSON.stringify(request('till', uid)))
  assert.equal(answer?.route.operation, 'response')
  assert.match(JSON.stringify(answer?.content), /"kind":"TokenRequest".*"token":"token-\d+","expirationTimestamp"/)
  const unbound = await ask('query', 'shop/serviceaccounttoken/robot', { spec: {} })
  assert.match(String(unbound?.content), /bound to a pod/)
  const other = await ask('query', 'shop/serviceaccounttoken/admin', request('till', uid))
  assert.match(String(other?.content), /does not run under service account admin/)
  await ask('query', 'shop/serviceaccounttoken/robot', request('other', theirUid))
  assert.match(String(edge.closed), /not on node edge-1/)
  assert.equal(bench.kubernetes.writes.filter((call) => call.endsWith('/token')).length, 2)
})

test('a mirror pod, which a node makes as it likes, opens nothing of its namespace to the node', async (t) => {
  const { ask, bench } = await setup(t)
  const node = await bench.make(NODES, undefined, { metadata: { name: 'edge-1' } })
  const namespace = 'bank'
  await bench.make(SECRETS, namespace, { metadata: { name: 'vault', namespace }, data: { a: 'eA==' } })
  await bench.make(SERVICE_ACCOUNTS, namespace, {
    metadata: { name: 'default', namespace },
    secrets: [{ name: 'vault' }],
  })
  const metadata = {
    name: 'static',
    namespace,
    annotations: { 'kubernetes.io/config.mirror': 'x' },
    ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'edge-1', uid: node.metadata.uid ?? '' }],
  }
  const inserted = await ask('insert', 'bank/pod/static', { metadata, spec: { nodeName: 'edge-1', containers: [] } })
  const [, uid = ''] = /"uid":"([^"]+)","generation"/.exec(JSON.stringify(inserted?.content)) ?? []
  assert.notEqual(uid, '')
  await bench.settle(1000)
  const secret = await ask('query', 'bank/secret/vault')
  assert.deepEqual(
    [secret?.route.operation, secret?.content],
    ['error', 'no pod of node edge-1 uses Secret bank/vault'],
  )
  const bound = { spec: { boundObjectRef: { kind: 'Pod', name: 'static', uid } } }
  const token = await ask('query', 'bank/serviceaccounttoken/default', bound)
  assert.deepEqual(
    [token?.route.operation, token?.content],
    ['error', 'pod bank/static does not run under service account default'],
  )
})

test('certificates are asked for the node itself, and read when they are signed', async (t) => {
  const { bench, edge } = await setup(t)
  /** Signatures are checked beside the clock of the test. */
  const ask = async (operation: string, resource: string, content: Json = null) => {
    const { header } = edge.say({ source: 'edged', group: 'meta', operation, resource }, content)
    for (let turns = 0; turns < 10_000; turns++) {
      await bench.settle()
      const answer = edge.received.find(({ header: { parent_msg_id: id } }) => id === header.msg_id)
      if (answer) return answer
      await new Promise<void>((resolve) => afterTurn(resolve))
    }
    return undefined
  }
  const request = async (node: string, signerName = 'kubernetes.io/kubelet-serving', organization = 'system:nodes') => {
    const subject = { commonName: `system:node:${node}`, organizations: [organization] }
    const csr = await createCsr({ keyPair: await generateKeyPair(), subject })
    const pem = Buffer.from(pemOf(csr, 'CERTIFICATE REQUEST')).toString('base64')
    return { metadata: { name: 'csr-1' }, spec: { signerName, request: pem, usages: ['server auth'] } }
  }
  const at = 'default/certificatesigningrequest/csr-1'
  const wrong = await ask('insert', at, await request('edge-1', 'kubernetes.io/kube-apiserver-client'))
  assert.match(JSON.stringify(wrong?.content), /"Object":null.*nodes ask these signers alone/)
  const masters = await ask('insert', at, await request('edge-1', undefined, 'system:masters'))
  assert.match(JSON.stringify(masters?.content), /has to be system:nodes/)
  const broken = await ask('insert', at, {
    metadata: { name: 'csr-1' },
    spec: { signerName: 'kubernetes.io/kubelet-serving', request: 'eA==' },
  })
  assert.match(JSON.stringify(broken?.content), /no certificate signing request in PEM/)
  assert.match(JSON.stringify((await ask('insert', at, await request('edge-1')))?.content), /"Err":null/)
  assert.match(JSON.stringify((await ask('query', at))?.content), /^\{.*"name":"csr-1"/)
  await ask('insert', 'default/certificatesigningrequest/csr-2', {
    ...(await request('edge-2')),
    metadata: { name: 'csr-2' },
  })
  assert.match(String(edge.closed), /not be that of node edge-1/)
})
