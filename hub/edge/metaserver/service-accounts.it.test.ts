import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { ask } from './testing/ask.ts'
import { clusterTokens } from './testing/cluster-tokens.ts'
import { access, configMap, device, pod } from './testing/objects.ts'
import { type ServedNode, serveTestNode } from './testing/served-node.ts'

const PODS = '/api/v1/namespaces/shop/pods'
const READ_PODS = [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] }]

describe('service accounts at MetaServer', () => {
  const issuer = clusterTokens()
  let node: ServedNode
  before(async () => {
    node = await serveTestNode()
    issuer.publish(node.cloud)
    await node.give('shop/pod/till', pod('till'))
    await node.give('shop/configmap/settings', configMap('settings', { speed: '1' }))
    await node.give('shop/device/pump-1', device('pump-1'))
    await node.give('shop/serviceaccountaccess/robot', access(READ_PODS))
  })
  after(() => node.stop())
  const statusOf = async (token: string, path = PODS) => (await ask(node, { path, token })).status

  it('a token of the cluster is known, also after a restart without the cloud', async () => {
    assert.equal(await statusOf(issuer.issue()), 200)
    await node.stop()
    node = await serveTestNode({ after: node })
    node.cloud.isConnected = false
    assert.equal(await statusOf(issuer.issue()), 200)
  })

  it('tokens that have ended, of another audience, issuer, pod, node or account are refused', async () => {
    const past = Math.trunc(Date.now() / 1000) - 1
    const wrong = {
      ended: issuer.issue({ exp: past }),
      'for others': issuer.issue({ aud: ['https://vault.example'] }),
      'of another issuer': issuer.issue({ iss: 'https://other.example' }),
      'signed by another key': clusterTokens().issue(),
      'of a key that nobody knows': clusterTokens('key-9').issue(),
      'of a pod that is gone': issuer.issue({}, { pod: { name: 'till', uid: 'uid-before' } }),
      'of a pod elsewhere': issuer.issue({}, { pod: { name: 'away', uid: 'uid-away' } }),
      'of another node': issuer.issue({}, { node: { name: 'edge-2', uid: 'u' } }),
      'of an account that was made anew': issuer.issue({}, { serviceaccount: { name: 'robot', uid: 'uid-old' } }),
      'of an account that is not its subject': issuer.issue({ sub: 'system:serviceaccount:shop:boss' }),
      unsigned: `${Buffer.from('{"alg":"none"}').toString('base64url')}.${issuer.issue().split('.')[1]}.AAAA`,
      'no token at all': 'nonsense',
    }
    for (const [what, token] of Object.entries(wrong)) assert.equal(await statusOf(token), 401, what)
  })

  it('rights are those that were synchronised, and change with them', async () => {
    const token = issuer.issue()
    const maps = '/api/v1/namespaces/shop/configmaps'
    const refused = await ask(node, { path: maps, token })
    assert.equal(refused.status, 403)
    assert.match(refused.text, /User \\"system:serviceaccount:shop:robot\\" cannot list resource \\"configmaps\\"/)
    assert.equal(await statusOf(token, '/api/v1/pods'), 403, 'a RoleBinding counts in its namespace')
    const object = access([{ apiGroups: ['', 'devices.kubeedge.io'], resources: ['*'], verbs: ['*'] }])
    await node.give('shop/serviceaccountaccess/robot', {
      ...object,
      metadata: { ...metadataOf(object), resourceVersion: '4' },
    })
    assert.equal(await statusOf(token, maps), 200)
    assert.equal(await statusOf(token, '/apis/devices.kubeedge.io/v1beta1/namespaces/shop/devices/pump-1'), 200)
    await node.take('shop/serviceaccountaccess/robot', object)
    assert.equal(await statusOf(token), 403, 'without rights here and without the cloud nothing is given')
  })

  it('nobody gets health and version, and nothing else', async () => {
    for (const path of ['/healthz', '/livez', '/readyz', '/version']) assert.equal(await statusOf('', path), 200, path)
    for (const path of ['/api', '/apis', '/openapi/v2', PODS, '/metrics'])
      assert.equal(await statusOf('', path), 403, path)
  })

  it('a service account acts as nobody else', async () => {
    const headers = { 'impersonate-user': 'skerry:node-operator:edge-1', 'impersonate-group': 'skerry:node-operators' }
    assert.equal((await ask(node, { path: PODS, token: issuer.issue(), headers })).status, 403)
  })
})

function metadataOf(object: { readonly metadata?: unknown }): object {
  return Object(object.metadata)
}
