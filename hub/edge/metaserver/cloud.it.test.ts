import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import { ask, open } from './testing/ask.ts'
import { clusterTokens } from './testing/cluster-tokens.ts'
import { access, configMap, pod } from './testing/objects.ts'
import { type ServedNode, serveTestNode } from './testing/served-node.ts'

const SERVICES = '/api/v1/namespaces/shop/services'
const MAPS = '/api/v1/namespaces/shop/configmaps'

const service: JsonObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'till', namespace: 'shop', resourceVersion: '77' },
}
const services: JsonObject = {
  apiVersion: 'v1',
  kind: 'ServiceList',
  metadata: { resourceVersion: '80' },
  items: [{ metadata: { name: 'till', namespace: 'shop' }, spec: { type: 'ClusterIP', clusterIP: '10.0.0.7' } }],
}
const forbidden: JsonObject = {
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  reason: 'Forbidden',
  code: 403,
}

describe('what MetaServer asks of the cloud', () => {
  const issuer = clusterTokens()
  let node: ServedNode
  let token = ''
  before(async () => {
    node = await serveTestNode()
    issuer.publish(node.cloud)
    await node.give('shop/pod/till', pod('till'))
    await node.give('shop/configmap/settings', configMap('settings', { speed: '1' }, '41'))
    await node.give(
      'shop/serviceaccountaccess/robot',
      access([{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }]),
    )
    token = issuer.issue()
  })
  after(() => node.stop())
  const lastAsked = () => node.cloud.asked.at(-1)

  it('what the node does not hold is asked in the name of the caller, and shown as he wants it', async () => {
    node.cloud.answer = ({ verb }) => ({ code: 200, object: verb === 'list' ? services : service })
    const listed = await ask(node, { path: `${SERVICES}?labelSelector=a%3Db&limit=7`, token })
    assert.equal(listed.status, 200)
    assert.deepEqual(lastAsked(), {
      verb: 'list',
      at: { group: '', version: 'v1', resource: 'services', namespace: 'shop' },
      options: { labelSelector: 'a=b', limit: 7 },
      token,
    })
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
    const table = await ask(node, { path: SERVICES, token, headers: { accept } })
    assert.match(table.text, /"cells":\["till","ClusterIP","10\.0\.0\.7"/)
  })

  it('what the cloud refuses is refused here, and its answer is no copy', async () => {
    node.cloud.answer = () => ({ code: 403, object: forbidden })
    assert.equal((await ask(node, { path: `${SERVICES}/till`, token })).status, 403)
    node.cloud.isConnected = false
    assert.equal((await ask(node, { path: `${SERVICES}/till`, token })).status, 503)
    node.cloud.isConnected = true
  })

  it('without the cloud a copy of the own last answer serves, and says so, also after a restart', async () => {
    node.cloud.answer = () => ({ code: 200, object: services })
    await ask(node, { path: SERVICES, token })
    await node.stop()
    node = await serveTestNode({ after: node })
    node.cloud.isConnected = false
    const copy = await ask(node, { path: SERVICES, token })
    assert.equal(copy.status, 200)
    assert.match(String(copy.headers['warning']), /the cloud is not connected: this is a copy of 20/)
    assert.equal((await ask(node, { path: SERVICES })).status, 503, 'what one was told is no other’s')
    node.cloud.isConnected = true
  })

  it('an object is found in a copy of a list, a namespace in that of all, until the cloud says no', async () => {
    node.cloud.answer = () => ({ code: 200, object: services })
    await ask(node, { path: '/api/v1/services', token })
    const withoutCloud = async (path: string) => {
      node.cloud.isConnected = false
      const { status, json } = await ask(node, { path, token })
      node.cloud.isConnected = true
      return [status, Object(json).kind]
    }
    assert.deepEqual(await withoutCloud(`${SERVICES}/till`), [200, 'Service'])
    assert.deepEqual(await withoutCloud('/api/v1/namespaces/home/services'), [200, 'ServiceList'])
    assert.deepEqual(await withoutCloud(`${SERVICES}/other`), [503, 'Status'])
    assert.deepEqual(await withoutCloud(`${SERVICES}/till/status`), [503, 'Status'])
    assert.deepEqual(await withoutCloud(`${SERVICES}?labelSelector=a`), [503, 'Status'])
    node.cloud.answer = () => ({ code: 403, object: forbidden })
    for (const path of [`${SERVICES}/till`, '/api/v1/namespaces/home/services']) {
      assert.equal((await ask(node, { path, token })).status, 403)
      assert.deepEqual(await withoutCloud(path), [503, 'Status'])
    }
    node.cloud.answer = () => ({ code: 200, object: services })
    await ask(node, { path: SERVICES, token })
    assert.deepEqual(await withoutCloud(`${SERVICES}/till`), [200, 'Service'])
  })

  it('an operator of the node reads with the rights of the node, and changes nothing in the cluster', async () => {
    node.cloud.answer = () => ({ code: 200, object: services })
    assert.equal((await ask(node, { path: SERVICES })).status, 200)
    assert.equal(lastAsked()?.token, undefined)
    const asked = node.cloud.asked.length
    const refused = await ask(node, { method: 'DELETE', path: '/api/v1/namespaces/shop/pods/till' })
    assert.equal(refused.status, 403)
    assert.match(refused.text, /kubectl --token/)
    assert.equal(node.cloud.asked.length, asked)
  })

  it('a change travels with the token of the caller, in the version of the cloud, and is known here at once', async () => {
    const { json } = await ask(node, { path: `${MAPS}/settings` })
    const seen: { readonly metadata: { readonly resourceVersion: string }; readonly data: object } = Object(json)
    const changed = (version: string, speed: string) => ({
      ...seen,
      metadata: { ...seen.metadata, resourceVersion: version },
      data: { speed },
    })
    node.cloud.answer = ({ body }) => {
      const { metadata, ...rest } = Object(body)
      return { code: 200, object: { ...rest, metadata: { ...metadata, resourceVersion: '42' } } }
    }
    const own = seen.metadata.resourceVersion
    const written = await ask(node, { method: 'PUT', path: `${MAPS}/settings`, body: changed(own, '2'), token })
    assert.equal(written.status, 200, written.text)
    assert.equal(lastAsked()?.token, token)
    const sent: { readonly metadata?: { readonly resourceVersion?: string } } = Object(lastAsked()?.body)
    assert.equal(sent.metadata?.resourceVersion, '41')
    const now: typeof seen = Object((await ask(node, { path: `${MAPS}/settings` })).json)
    assert.deepEqual(now.data, { speed: '2' })
    assert.equal(Object(written.json).metadata.resourceVersion, now.metadata.resourceVersion)
    assert.ok(Number(now.metadata.resourceVersion) > Number(own))
    const late = await ask(node, { method: 'PUT', path: `${MAPS}/settings`, body: changed(own, '3'), token })
    assert.equal(late.status, 409)
  })

  it('without the cloud a change is refused at once, without a time to try again', async () => {
    node.cloud.isConnected = false
    const refused = await ask(node, { method: 'POST', path: MAPS, body: { metadata: { name: 'new' } }, token })
    assert.equal(refused.status, 503)
    assert.equal(refused.headers['retry-after'], undefined)
    assert.match(refused.text, /the cloud is not connected: create of configmaps needs it, and nothing was changed/)
    node.cloud.isConnected = true
  })

  it('a cloud of KubeEdge, which asks with rights of its own, is asked what the caller may do by what is known here', async () => {
    node.cloud.peer = 'kubeedge'
    node.cloud.answer = () => ({ code: 200, object: services })
    const asked = node.cloud.asked.length
    assert.equal((await ask(node, { path: SERVICES, token })).status, 403)
    assert.equal((await ask(node, { path: SERVICES })).status, 403)
    assert.equal((await ask(node, { method: 'DELETE', path: `${MAPS}/settings`, token })).status, 403)
    assert.equal(node.cloud.asked.length, asked)
    assert.equal((await ask(node, { path: '/api/v1/namespaces/shop/pods/ghost', token })).status, 200)
    node.cloud.peer = 'skerry'
  })

  it('a watch of what the node does not hold is that of the cloud', async () => {
    node.cloud.events = async function* () {
      yield { type: 'ADDED', object: service }
      yield { type: 'ERROR', object: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 410 } }
    }
    const response = await open(node, { path: `${SERVICES}?watch=1&resourceVersion=5`, token })
    let text = ''
    for await (const chunk of response.setEncoding('utf8')) text += String(chunk)
    const types = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).type)
    assert.deepEqual(types, ['ADDED', 'ERROR'])
  })

  it('a watch may begin without the cloud where its caller has had a copy, and of nothing else', async () => {
    node.cloud.answer = () => ({
      code: 200,
      object: { apiVersion: 'v1', kind: 'ServiceList', metadata: {}, items: [] },
    })
    assert.equal((await ask(node, { path: SERVICES, token })).status, 200)
    node.cloud.isConnected = false
    node.cloud.events = async function* () {
      yield { type: 'ADDED', object: service }
    }
    const response = await open(node, { path: `${SERVICES}?watch=1&resourceVersion=5`, token })
    let text = ''
    for await (const chunk of response.setEncoding('utf8')) text += String(chunk)
    assert.match(text, /^\{"type":"ADDED"/)
    const elsewhere = SERVICES.replace('/shop/', '/elsewhere/')
    assert.equal((await ask(node, { path: `${elsewhere}?watch=1&resourceVersion=5` })).status, 503)
    assert.equal((await ask(node, { path: `${SERVICES}?watch=1`, token })).status, 503)
    node.cloud.isConnected = true
  })
})
