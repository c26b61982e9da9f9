import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generateKeyPair, pemOf } from '../../platform/certificates/index.ts'
import { createCsr } from '../../platform/certificates/issuing/index.ts'
import { done, until, at as valueAt } from '../apiserver/testing/objects.ts'
import { LEASES, NODES } from './kubernetes/index.ts'
import { failureOf, kubeletLease, kubeletNode, metadataOf, objectOf, register } from './testing/kubeedge/kubelet.ts'
import { CLUSTER_CA, startWholeCloud } from './testing/kubeedge/whole-cloud.ts'

const LEASE = 'kube-node-lease/lease/edge-1'

test('a lease that somebody else wrote meanwhile is a Conflict, and is renewed after another look', async (t) => {
  const { kubernetes, edge: connect } = await startWholeCloud(t)
  const edge = await connect()
  const { lease } = await register(edge)
  const before = metadataOf(objectOf(lease))
  await kubernetes.patch(LEASES, at('edge-1'), { metadata: { labels: { a: 'b' } } }, { type: 'merge' })
  const refused = await edge.ask('update', LEASE, kubeletLease('edge-1', 1_786_017_800, before))
  assert.equal(failureOf(refused), 'Conflict')
  const present = metadataOf(objectOf(await edge.ask('query', LEASE)))
  const taken = await edge.ask('update', LEASE, kubeletLease('edge-1', 1_786_017_800, present))
  assert.equal(failureOf(taken), undefined)
  assert.equal((await kubernetes.get(LEASES, at('edge-1')))?.metadata.labels?.['a'], 'b')
})

test('the status of a node is patched strategically, and the answer has its new version', async (t) => {
  const { kubernetes, edge: connect } = await startWholeCloud(t)
  const edge = await connect()
  const { status } = await register(edge)
  const version = String(metadataOf(objectOf(status))['resourceVersion'])
  const disk = { type: 'DiskPressure', status: 'False', reason: 'KubeletHasNoDiskPressure' }
  const answer = await edge.patch('null/nodepatch/edge-1', { status: { conditions: [disk] } })
  assert.ok(BigInt(String(metadataOf(objectOf(answer))['resourceVersion'])) > BigInt(version))
  const node = await kubernetes.get(NODES, { name: 'edge-1' })
  const conditions: unknown = node?.status?.['conditions']
  const types = Array.isArray(conditions) ? conditions.map((each: unknown) => Reflect.get(Object(each), 'type')) : []
  assert.deepEqual(types.sort(), ['DiskPressure', 'MemoryPressure', 'Ready'])
})

test('a query that fails is answered with an error and a text, so that the edge keeps nothing of it', async (t) => {
  const { edge: connect } = await startWholeCloud(t)
  const edge = await connect()
  await register(edge)
  const rows = [...edge.meta.rows.keys()]
  const resource = 'shop/configmap/none'
  const asked = edge.say({ source: 'edged', group: 'meta', operation: 'query', resource })
  const answer = await edge.hears(({ header }) => header.parent_msg_id === asked.header.msg_id, 'the answer')
  assert.deepEqual([answer.route.operation, answer.route.group, typeof answer.content], ['error', 'resource', 'string'])
  assert.deepEqual([...edge.meta.rows.keys()], rows)
})

test('the CA of the cluster is given by CloudHub itself, as PEM', async (t) => {
  const { edge: connect } = await startWholeCloud(t)
  const edge = await connect()
  const answer = await edge.ask('query', 'k8s/ca.crt')
  assert.deepEqual(
    [answer.route.source, answer.route.group, answer.route.operation, answer.content],
    ['cloudhub', 'resource', 'response', CLUSTER_CA],
  )
})

test('a serving certificate for names of the node is asked for, approved, and read once the embedded API has signed it', async (t) => {
  const { edge: connect, api } = await startWholeCloud(t)
  const edge = await connect()
  const subject = { commonName: 'system:node:edge-1', organizations: ['system:nodes'] }
  const csr = await createCsr({ keyPair: await generateKeyPair(), subject, dnsNames: ['edge-1'] })
  const request = Buffer.from(pemOf(csr, 'CERTIFICATE REQUEST')).toString('base64')
  const spec = { signerName: 'kubernetes.io/kubelet-serving', request, usages: ['digital signature', 'server auth'] }
  const name = 'default/certificatesigningrequest/csr-1'
  const made = await edge.ask('insert', name, { metadata: { name: 'csr-1' }, spec })
  assert.equal(failureOf(made), undefined)
  const path = '/apis/certificates.k8s.io/v1/certificatesigningrequests/csr-1'
  await until(api, path, (object) => valueAt(object, 'status', 'certificate') !== undefined)
  const foreign = await createCsr({ keyPair: await generateKeyPair(), subject, dnsNames: ['edge-1', 'shop.example'] })
  const other = { ...spec, request: Buffer.from(pemOf(foreign, 'CERTIFICATE REQUEST')).toString('base64') }
  await edge.ask('insert', `${name}0`, { metadata: { name: 'csr-10' }, spec: other })
  assert.equal(valueAt(await done(api, { path: `${path}0` }), 'status', 'conditions'), undefined)
  const answer = await edge.ask('query', name)
  const pem = Buffer.from(String(valueAt(answer.content, 'status', 'certificate')), 'base64').toString()
  assert.match(pem, /^-----BEGIN CERTIFICATE-----/)
})

test('messages of MQTT clients reach rules with their node in front, and are not answered', async (t) => {
  const whole = await startWholeCloud(t)
  const got: string[] = []
  whole.cloud.cloudhub.hub.onUserMessage(async ({ resource, payload }) => {
    got.push(`${resource} ${Buffer.from(payload)}`)
    return 'done'
  })
  const edge = await whole.edge()
  for (const content of ['open', 'closed']) {
    edge.say({ source: 'eventbus', group: 'user', operation: 'upload', resource: 'room/user/door' }, content)
  }
  await register(edge)
  assert.deepEqual(got, ['node/edge-1/room/user/door open', 'node/edge-1/room/user/door closed'])
  assert.deepEqual(
    edge.arrived.filter(({ route }) => route.group === 'user'),
    [],
  )
})

test('a message that claims to come from the cloud is dropped', async (t) => {
  const { kubernetes, edge: connect } = await startWholeCloud(t)
  const edge = await connect()
  const route = { source: 'edgecontroller', group: 'meta', operation: 'insert', resource: 'null/node/edge-1' }
  edge.say(route, kubeletNode('edge-1'))
  await edge.ask('query', 'k8s/ca.crt')
  assert.equal(await kubernetes.get(NODES, { name: 'edge-1' }), undefined)
})

function at(name: string) {
  return { namespace: 'kube-node-lease', name }
}
