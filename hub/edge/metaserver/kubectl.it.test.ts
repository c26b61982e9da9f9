import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { podReports, twins } from '../../../schemas/index.ts'
import { needs } from '../../../tools/testing/needs.ts'
import { kubectl } from '../../apiserver/testing/kubectl.ts'
import { twinOf } from '../testing/edge-bench.ts'
import { configMap, device, pod } from './testing/objects.ts'
import { type ServedNode, serveTestNode } from './testing/served-node.ts'

describe('kubectl on the gateway, with the cable pulled', { skip: needs('kubectl') }, () => {
  let node: ServedNode
  before(async () => {
    node = await serveTestNode()
    node.cloud.isConnected = false
    await node.give('shop/pod/till', pod('till'))
    await node.give('shop/pod/shelf', pod('shelf'))
    await node.give('shop/configmap/settings', configMap('settings', { speed: '10' }))
    await node.give('shop/device/pump-1', device('pump-1'))
    node.bus.set(podReports, 'shop/till', {
      uid: 'uid-till',
      status: {
        phase: 'Running',
        podIP: '10.88.0.7',
        conditions: [{ type: 'Ready', status: 'True' }],
        containerStatuses: [{ name: 'main', ready: true, restartCount: 2, state: { running: {} } }],
      },
    })
  })
  after(() => node.stop())
  const run = (...command: readonly string[]) => kubectl(node, command)

  it('pods, devices and configmaps come as tables, as the node knows them now', async () => {
    const known = twinOf('pump-1', 3, { id: 'shop/pump-1', uid: 'uid-pump-1', state: 'online' })
    node.bus.set(twins, 'shop/pump-1', known)
    const { out, err, code } = await run('get', 'pods,devices,cm', '-n', 'shop', '-o', 'wide')
    assert.equal(code, 0, err)
    assert.match(out, /pod\/till +1\/1 +Running +2 .*10\.88\.0\.7 +edge-1/)
    assert.match(out, /pod\/shelf +0\/1 +Pending/)
    assert.match(out, /device\.devices\.kubeedge\.io\/pump-1 +edge-1 +modbus/)
    assert.match(out, /configmap\/settings +1/)
  })

  it('selectors choose by labels and by the fields of a kind', async () => {
    const names = async (...how: readonly string[]) => (await run('get', 'pods', '-A', '-o', 'name', ...how)).out.trim()
    assert.equal(await names('-l', 'app=shelf'), 'pod/shelf')
    assert.equal(await names('--field-selector', 'status.phase=Running'), 'pod/till')
    assert.equal(await names('--field-selector', 'metadata.name=till,spec.nodeName=edge-1'), 'pod/till')
    assert.match(
      (await run('get', 'cm', '-n', 'shop', '--field-selector', 'data.speed=1')).err,
      /"data.speed" is not a known field selector/,
    )
  })

  it('kinds, versions and fields are explained without the cloud', async () => {
    assert.match(
      (await run('api-resources', '--api-group=devices.kubeedge.io')).out,
      /devices +devices.kubeedge.io\/v1beta1 +true +Device/,
    )
    assert.match((await run('version')).out, /Server Version: v1\./)
    assert.match((await run('explain', 'device.spec.nodeName')).out, /KIND: +Device/)
    assert.match((await run('explain', 'pod.spec.nodeName', '--api-version=v1')).out, /KIND: +Pod/)
  })

  it('what is not here says so at once, and what only the cloud can change is refused with 503', async () => {
    assert.match((await run('get', 'deployments', '-n', 'shop')).err, /the cloud is not connected/)
    assert.match((await run('get', 'pod', 'ghost', '-n', 'shop')).err, /the cloud is not connected/)
    const { err, code } = await run('delete', 'pod', 'till', '-n', 'shop')
    assert.equal(code, 1)
    assert.match(err, /ServiceUnavailable|the cloud is not connected/)
  })
})
