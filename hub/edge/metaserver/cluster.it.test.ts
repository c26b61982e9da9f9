import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { KubeConfig, KubernetesObjectApi } from '@kubernetes/client-node'
import { needs } from '../../../tools/testing/needs.ts'
import { kubectl, type Run } from '../../apiserver/testing/kubectl.ts'
import { eventually } from '../testing/joined-edge.ts'
import { startClusterNode } from './testing/cluster-node.ts'

const EXAMPLE = '--api-group=example.com'

function widget(name: string, size: number) {
  return { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name, namespace: 'default' }, spec: { size } }
}

test('kinds of the cluster on a gateway', { skip: needs('kubectl') }, async (t) => {
  const node = await startClusterNode(t)
  await node.declare('widgets')
  const token = await node.token('robot', 'cluster-admin')
  let caches = 0

  /** As the service account, with nothing in its cache. */
  const run = async (...command: readonly string[]): Promise<Run> => {
    const environment = { KUBECACHEDIR: join(node.directory, `cache-${++caches}`) }
    return await kubectl(node, ['--token', token, ...command], { namespace: 'default', environment })
  }
  const apply = (object: object) =>
    kubectl(node, ['--token', token, 'apply', '-f', '-'], { namespace: 'default', input: JSON.stringify(object) })
  const objects = () => {
    const config = new KubeConfig()
    config.loadFromOptions({
      clusters: [{ name: 'node', server: node.url, caData: Buffer.from(node.ca).toString('base64') }],
      users: [{ name: 'robot', token }],
      contexts: [{ name: 'robot', cluster: 'node', user: 'robot' }],
      currentContext: 'robot',
    })
    return KubernetesObjectApi.makeApiClient(config)
  }

  await t.test('kubectl finds, makes, changes and explains them', async () => {
    const { out, err } = await run('api-resources', EXAMPLE)
    assert.match(out, /^widgets +wd +example\.com\/v1 +true +Widget$/m, err)
    assert.equal((await apply(widget('one', 1))).out, 'widget.example.com/one created\n')
    assert.equal((await apply(widget('one', 7))).out, 'widget.example.com/one configured\n')
    assert.match((await run('get', 'wd')).out, /^NAME +SIZE +AGE\none +7 +\d+s$/m, 'columns are those of the API')
    assert.match((await run('get', 'wd', 'one')).out, /^one +7 +\d+s$/m)
    assert.equal((await run('get', 'widgets', '-A', '-o', 'jsonpath={.items[*].spec.size}')).out, '7')
    const explained = await run('explain', 'widget.spec.size')
    assert.match(explained.out, /How large the widget is\./, explained.err)
    assert.match((await apply({ ...widget('two', 1), spec: { width: 1 } })).err, /unknown field "spec\.width"/)
    const operator = await kubectl(node, ['get', 'widgets', '-n', 'default'])
    assert.match(operator.err, /widgets\.example\.com is forbidden: node edge-1 may not/)
  })

  await t.test('what the node serves itself is as it was', async () => {
    assert.match((await run('version')).out, /Server Version: v1\./)
    assert.match((await run('api-resources', '--api-group=devices.kubeedge.io')).out, /^devices +devices.*v1beta1/m)
    assert.match((await run('get', '--raw', '/apis')).out, /"name":"example.com"/)
  })

  await t.test('one that is declared later is there for who asks next', async () => {
    await node.declare('gadgets')
    const err = await eventually(async () => {
      const ran = await run('get', 'gadgets')
      return ran.code === 0 ? ran.err : undefined
    })
    assert.match(err, /No resources found/)
  })

  await t.test('a client that asks group by group finds them, too', async () => {
    const client = objects()
    const made = await client.create(widget('three', 3))
    assert.equal(made.metadata.name, 'three')
    const read = await client.read({ ...widget('three', 0) })
    assert.equal(Reflect.get(read, 'spec').size, 3)
    const list = await client.list('example.com/v1', 'Widget', 'default')
    assert.deepEqual(list.items.map(({ metadata }) => metadata?.name).toSorted(), ['one', 'three'])
  })

  const isOffline = async () => {
    assert.match((await run('api-resources', EXAMPLE)).out, /^gadgets .*\n?widgets /m)
    const { out, err } = await run('get', 'widgets')
    assert.match(out, /^NAME +SIZE +AGE\none +7 +\d+/m)
    assert.match((await run('get', 'widget', 'three')).out, /^three +3 +\d+/m, 'a row out of a table')
    assert.equal((await run('get', 'widgets', '-o', 'jsonpath={.items[*].spec.size}')).out, '7 3')
    assert.match(err, /the cloud is not connected: this is a copy of 20/)
    assert.equal((await run('get', 'widget', 'three', '-o', 'jsonpath={.spec.size}')).out, '3', 'out of a list')
    assert.match(
      (await run('get', 'gadgets', '-n', 'shop')).err,
      /ServiceUnavailable.*no copy of them for system:service/,
    )
    assert.match((await run('explain', 'widget.spec.size')).out, /How large the widget is\./)
    assert.match((await run('explain', 'pod.spec.nodeName')).out, /KIND: +Pod/)
    const refused = await apply(widget('one', 8))
    assert.equal(refused.code, 1)
    assert.match(refused.err, /patch of widgets needs it, and nothing was changed/)
    const list = await objects().list('example.com/v1', 'Widget', 'default')
    assert.equal(list.items.length, 2)
  }

  await t.test('without the cloud what was read before can be read, and the rest says why not', async () => {
    await run('get', 'widgets')
    await objects().list('example.com/v1', 'Widget', 'default')
    await node.cut()
    await isOffline()
  })

  await t.test('after a restart without the cloud it is the same', async () => {
    await node.restart()
    await isOffline()
  })

  await t.test('what the cluster lost meanwhile is gone when the cloud is back, and what it got is there', async () => {
    await node.undeclare('gadgets')
    await node.declare('cogs')
    await node.mend()
    const { out } = await run('api-resources', EXAMPLE)
    assert.match(out, /^cogs /m)
    assert.match(out, /^widgets /m)
    assert.doesNotMatch(out, /^gadgets /m)
    assert.match((await run('get', 'gadgets')).err, /doesn't have a resource type "gadgets"/)
  })

  await t.test('a client of OpenAPI 2.0 is told of both', async () => {
    const { out } = await run('get', '--raw', '/openapi/v2')
    const { definitions, paths }: Record<string, object> = JSON.parse(out)
    assert.ok(
      Object.keys(definitions ?? {}).includes('com.example.v1.Widget'),
      Object.keys(definitions ?? {})
        .slice(0, 9)
        .join(),
    )
    assert.ok(Object.keys(paths ?? {}).includes('/apis/devices.kubeedge.io/v1beta1/devices'))
  })
})
