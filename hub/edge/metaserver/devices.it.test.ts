import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type DesiredAnswer, type DesiredRequest, setDesired, type Twin, twins } from '../../../schemas/index.ts'
import { twinOf } from '../testing/edge-bench.ts'
import { ask } from './testing/ask.ts'
import { clusterTokens } from './testing/cluster-tokens.ts'
import { access, device, pod } from './testing/objects.ts'
import { type ServedNode, serveTestNode } from './testing/served-node.ts'

const PUMP = '/apis/devices.kubeedge.io/v1beta1/namespaces/shop/devices/pump-1'
const JSON_PATCH = 'application/json-patch+json'
const replaced = (value: unknown, path = '/spec/properties/0/desired/value') => [{ op: 'replace', path, value }]

interface Shown {
  readonly metadata: { readonly resourceVersion: string }
  readonly spec: { readonly properties: readonly { readonly desired: { readonly value: string } }[] }
  readonly status: {
    readonly conditions: readonly { readonly type: string; readonly status: string; readonly reason: string }[]
  }
}

/** A twin that takes numbers up to 100. */
function takeDesired(node: ServedNode, wishes: DesiredRequest[]): Disposable {
  return node.bus.serve(setDesired, async (wish): Promise<DesiredAnswer> => {
    const value = wish.values['speed'] ?? ''
    if (Number(value) > 100) return { ok: false, code: 400, reason: `speed: ${value} is above the maximum 100` }
    wishes.push(wish)
    const twin: Twin = twinOf('pump-1', wishes.length + 1, {
      ...{ id: wish.id, uid: 'uid-pump-1', state: 'online' },
      properties: {
        speed: {
          ...{ type: 'int', modelType: 'INT', declared: true, optional: false, writable: true },
          desired: { value, timestamp: 1, version: { cloud: 1, edge: 1 }, origin: 'edge', author: wish.author },
        },
      },
    })
    node.bus.set(twins, wish.id, twin)
    return { ok: true, values: { speed: Number(value) } }
  })
}

describe('desired values at MetaServer', () => {
  const issuer = clusterTokens()
  const wishes: DesiredRequest[] = []
  let node: ServedNode
  before(async () => {
    node = await serveTestNode()
    issuer.publish(node.cloud)
    takeDesired(node, wishes)
    await node.give('shop/pod/till', pod('till'))
    await node.give('shop/device/pump-1', device('pump-1'))
    const rules = [{ apiGroups: ['devices.kubeedge.io'], resources: ['devices'], verbs: ['get', 'patch'] }]
    await node.give('shop/serviceaccountaccess/robot', access(rules))
  })
  after(() => node.stop())
  const patch = (body: unknown, type = JSON_PATCH, token?: string, path = PUMP) =>
    ask(node, { method: 'PATCH', path, body, type, ...(token === undefined ? {} : { token }) })
  const shown = async (): Promise<Shown> => Object((await ask(node, { path: PUMP })).json)

  it('without the cloud they are a wish of the edge, at once and in the name of who asked', async () => {
    const token = issuer.issue()
    await ask(node, { path: PUMP, token })
    node.cloud.isConnected = false
    const answer = await patch(replaced('42'), JSON_PATCH, token)
    assert.equal(answer.status, 200, answer.text)
    const author = 'user:system:serviceaccount:shop:robot'
    assert.deepEqual(wishes.at(-1), { id: 'shop/pump-1', values: { speed: '42' }, author })
    const { spec, status } = await shown()
    assert.equal(spec.properties[0]?.desired.value, '42')
    const synced = status.conditions.find(({ type }) => type === 'Synced')
    assert.deepEqual([synced?.status, synced?.reason], ['False', 'EdgeOverride'])
  })

  it('what the model forbids, another field, and another version are refused, and nothing is wished', async () => {
    const count = wishes.length
    assert.equal((await patch(replaced('101'))).status, 422)
    assert.equal((await patch(replaced('pump-2', '/spec/deviceModelRef/name'))).status, 403)
    assert.equal(
      (await patch(replaced('2', '/spec/properties/0/desired/value'), JSON_PATCH, undefined, `${PUMP}x`)).status,
      404,
    )
    const { metadata: _old, ...rest } = await shown()
    const stale = {
      ...rest,
      apiVersion: 'devices.kubeedge.io/v1beta1',
      kind: 'Device',
      metadata: { name: 'pump-1', namespace: 'shop', resourceVersion: '12' },
    }
    assert.equal((await ask(node, { method: 'PUT', path: PUMP, body: stale })).status, 409)
    assert.equal(wishes.length, count)
    const token = issuer.issue()
    assert.equal((await patch(replaced('pump-2', '/spec/deviceModelRef/name'), JSON_PATCH, token)).status, 503)
    assert.equal(
      (await ask(node, { method: 'PUT', path: PUMP, body: stale, token })).status,
      403,
      'update is another right',
    )
  })

  it('a whole object, and what is applied on the server, do as well', async () => {
    const object: Shown = await shown()
    const properties = object.spec.properties.map((each) => ({ ...each, desired: { value: '55' } }))
    const put = await ask(node, {
      method: 'PUT',
      path: PUMP,
      body: { ...object, spec: { ...object.spec, properties } },
    })
    assert.equal(put.status, 200, put.text)
    assert.equal(wishes.at(-1)?.values['speed'], '55')
    const applied = {
      ...{ apiVersion: 'devices.kubeedge.io/v1beta1', kind: 'Device', metadata: { name: 'pump-1' } },
      spec: { properties: [{ name: 'speed', desired: { value: '60' } }] },
    }
    const done = await patch(applied, 'application/apply-patch+yaml', undefined, `${PUMP}?fieldManager=me&force=true`)
    assert.equal(done.status, 200, done.text)
    assert.deepEqual(wishes.at(-1), {
      ...{ id: 'shop/pump-1', values: { speed: '60' } },
      author: 'user:skerry:node-operator:edge-1',
    })
    const count = wishes.length
    assert.equal((await patch(replaced('70'), JSON_PATCH, undefined, `${PUMP}?dryRun=All`)).status, 200)
    assert.equal(wishes.length, count)
  })

  it('with the cloud they are a change of the cluster for whoever it knows', async () => {
    node.cloud.isConnected = true
    node.cloud.answer = () => ({ code: 200, object: device('pump-1', '77', '13') })
    const count = wishes.length
    const token = issuer.issue()
    assert.equal((await patch(replaced('77'), JSON_PATCH, token)).status, 200)
    assert.equal(wishes.length, count)
    assert.deepEqual(
      [node.cloud.asked.at(-1)?.verb, node.cloud.asked.at(-1)?.patchType, node.cloud.asked.at(-1)?.token],
      ['patch', JSON_PATCH, token],
    )
  })
})
