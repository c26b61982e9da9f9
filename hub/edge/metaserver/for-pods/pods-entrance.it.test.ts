import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect } from 'node:tls'
import { listen } from '../../../../platform/http/index.ts'
import { systemClock as clock, seconds } from '../../../../platform/time/index.ts'
import { type ApiForPods, apiForPods, links } from '../../../../schemas/index.ts'
import { ask } from '../testing/ask.ts'
import { type ClusterSigner, clusterSigner, newAuthority } from '../testing/cluster-signer.ts'
import { clusterTokens } from '../testing/cluster-tokens.ts'
import { access, configMap, pod } from '../testing/objects.ts'
import { NODE, type ServedNode, type ServedNodeOptions, serveTestNode } from '../testing/served-node.ts'

const ADDRESS = '127.0.0.77'
const MAPS = '/api/v1/namespaces/shop/configmaps'
const issuer = clusterTokens()

interface Started {
  readonly cluster: ClusterSigner
  readonly after?: ServedNode
  readonly open?: (address: string) => Promise<{ readonly address: string } | { readonly refusal: string }>
}

async function start(t: TestContext, { cluster, after, open }: Started): Promise<ServedNode> {
  const network = { address: ADDRESS, open: open ?? (async (address: string) => ({ address })) }
  const options: ServedNodeOptions = { settings: { pods: network }, prepare: (bus) => cluster.serve(bus) }
  const node = await serveTestNode(after ? { ...options, after } : options)
  node.cloud.isConnected = cluster.isConnected
  t.after(() => node.stop())
  issuer.publish(node.cloud)
  if (after) return node
  await node.give('shop/pod/till', pod('till'))
  await node.give('shop/configmap/settings', configMap('settings', { speed: '1' }))
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }]
  await node.give('shop/serviceaccountaccess/robot', access(rules))
  return node
}

function placeOf({ bus }: ServedNode, network: 'pod' | 'host' = 'pod'): Promise<ApiForPods> {
  return bus.request(apiForPods, { network, namespace: 'shop' }, { deadline: seconds(30) })
}

async function found(node: ServedNode, network: 'pod' | 'host' = 'pod') {
  const place = await placeOf(node, network)
  assert.ok('host' in place, JSON.stringify(place))
  return place
}

/** One request, as a pod makes it: what it trusts is the authority of the cluster. */
async function statusOf(node: ServedNode, { rootCa: ca }: ClusterSigner, path: string, token = issuer.issue()) {
  const { host, port } = await found(node)
  const people = { ...node.people, ca }
  return (await ask({ ...node, people, url: `https://${host}:${port}` }, { path, token })).status
}

test('pods come in with the tokens of their service accounts, and nobody else does', async (t) => {
  const cluster = await clusterSigner({ clock })
  const node = await start(t, { cluster })
  assert.equal(await statusOf(node, cluster, `${MAPS}/settings`), 200)
  assert.equal(await statusOf(node, cluster, MAPS), 403, 'the role says get')
  assert.equal(await statusOf(node, cluster, `${MAPS}/settings`, node.people.token), 401, 'of the operator')
  assert.equal(await statusOf(node, cluster, `${MAPS}/settings`, 'nonsense'), 401)
  for (const path of ['/healthz', '/livez', '/readyz']) assert.equal(await statusOf(node, cluster, path, ''), 200, path)
  for (const path of ['/version', '/api', '/apis', '/openapi/v2', '/metrics', MAPS])
    assert.equal(await statusOf(node, cluster, path, ''), 403, path)
})

test('no client certificate counts there, not even that of the operator', async (t) => {
  const cluster = await clusterSigner({ clock })
  const node = await start(t, { cluster })
  const { host, port } = await found(node)
  const { certificate: cert, privateKey: key } = node.people.operator
  const socket = connect({ host, port, ca: cluster.rootCa, cert, key })
  socket.write(`GET ${MAPS} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  assert.match(answer, /^HTTP\/1\.1 403 /)
})

test('pods on the network of the node come in by the loopback, by another port than people', async (t) => {
  const cluster = await clusterSigner({ clock })
  const node = await start(t, { cluster })
  const { host, port } = await found(node, 'host')
  assert.equal(host, '127.0.0.1')
  assert.notEqual(port, Number(new URL(node.url).port))
  const url = `https://${host}:${port}`
  const asked = await ask(
    { ...node, people: { ...node.people, ca: cluster.rootCa }, url },
    {
      ...{ path: `${MAPS}/settings`, token: issuer.issue() },
    },
  )
  assert.equal(asked.status, 200)
})

test('a node that was never connected says why pods have to do without, and opens nothing', async (t) => {
  const cluster = await clusterSigner({ clock })
  cluster.isConnected = false
  const node = await start(t, { cluster })
  const place = await placeOf(node)
  assert.ok('refusal' in place && /no certificate for pods: the cloud is not connected/.test(place.refusal))
  cluster.isConnected = true
  node.cloud.isConnected = true
  node.bus.set(links, 'cloud', { connected: true, since: 0, detail: '' })
  assert.equal(await statusOf(node, cluster, `${MAPS}/settings`), 200)
  assert.equal(cluster.requests.size, 1)
})

test('after a restart without the cloud they find it where it was, with the certificate from disk', async (t) => {
  const cluster = await clusterSigner({ clock })
  const before = await start(t, { cluster })
  const [place, hostPlace] = [await found(before), await found(before, 'host')]
  assert.equal(await statusOf(before, cluster, `${MAPS}/settings`), 200)
  await before.stop()
  cluster.isConnected = false
  const node = await start(t, { cluster, after: before })
  await reached(place)
  await reached(hostPlace)
  assert.deepEqual([await found(node), await found(node, 'host')], [place, hostPlace])
  assert.equal(await statusOf(node, cluster, `${MAPS}/settings`), 200)
  assert.equal(cluster.requests.size, 1)
  const folder = join(node.directory, 'metaserver')
  for (const name of ['pods.key', 'pods.crt']) assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600)
})

test('where another program has the port, another one is taken', async (t) => {
  const cluster = await clusterSigner({ clock })
  const before = await start(t, { cluster })
  const place = await found(before)
  await before.stop()
  const other = createServer()
  await listen(other, place)
  t.after(() => other.close())
  const node = await start(t, { cluster, after: before })
  assert.notEqual((await found(node)).port, place.port)
  assert.equal(await statusOf(node, cluster, `${MAPS}/settings`), 200)
})

test('an address that this machine cannot have is told, and asked for again with the next pod', async (t) => {
  const cluster = await clusterSigner({ clock })
  const answers = [{ refusal: 'it cannot be added' }, { address: ADDRESS }]
  const node = await start(t, { cluster, open: async () => answers.shift() ?? { address: ADDRESS } })
  assert.deepEqual(await placeOf(node), { refusal: 'it cannot be added' })
  assert.equal((await found(node)).host, ADDRESS)
})

test('a certificate of an authority that pods do not know is exchanged, and not shown before', async (t) => {
  const cluster = await clusterSigner({ clock })
  const node = await start(t, { cluster })
  await found(node)
  // The cluster was set up anew.
  cluster.authority = await newAuthority(clock)
  cluster.rootCa = cluster.authority.certificatePem
  await found(node)
  assert.equal(cluster.requests.size, 2)
  assert.equal(await statusOf(node, cluster, `${MAPS}/settings`), 200)
  // And one whose signer has another authority than its API.
  cluster.rootCa = (await newAuthority(clock)).certificatePem
  const place = await placeOf(node)
  assert.ok('refusal' in place && /not in their kube-root-ca\.crt/.test(place.refusal))
  assert.equal(cluster.requests.size, 2, 'it does not ask again and again')
})

test('what is asked for is for this node alone', async (t) => {
  const cluster = await clusterSigner({ clock })
  const node = await start(t, { cluster })
  const { host, port } = await found(node)
  const socket = connect({ host, port, ca: cluster.rootCa })
  await new Promise((resolve) => socket.once('secureConnect', resolve))
  const { subject, subjectaltname } = socket.getPeerCertificate()
  socket.destroy()
  assert.deepEqual({ ...subject }, { CN: `system:node:${NODE}`, O: 'system:nodes' })
  assert.equal(subjectaltname, `DNS:${NODE}, IP Address:127.0.0.1, IP Address:${ADDRESS}`)
  const [request] = [...cluster.requests.values()]
  assert.deepEqual(Reflect.get(Object(request?.['spec']), 'usages'), ['digital signature', 'server auth'])
})

/** Something listens there. */
async function reached({ host, port }: { readonly host: string; readonly port: number }): Promise<void> {
  const socket = connect({ host, port, rejectUnauthorized: false })
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
  socket.destroy()
}
