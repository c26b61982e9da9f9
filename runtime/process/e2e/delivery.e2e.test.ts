import assert from 'node:assert/strict'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { needs } from '../../../tools/testing/needs.ts'
import { Fleet, type Half, offer, onDisk, publish, retained } from '../testing/fleet.ts'
import { eventually } from '../testing/run.ts'
import { packageRoot } from '../version.ts'

const MODEL = {
  apiVersion: 'devices.kubeedge.io/v1beta1',
  kind: 'DeviceModel',
  metadata: { name: 'tank', namespace: 'default' },
  spec: { properties: [{ name: 'level', type: 'INT', accessMode: 'ReadWrite' }] },
}

/** A device of a mapper that speaks KubeEdge's MQTT, which the test is. */
function tank(name: string, node: string, desired = '1') {
  return {
    apiVersion: 'devices.kubeedge.io/v1beta1',
    kind: 'Device',
    metadata: { name, namespace: 'default' },
    spec: {
      deviceModelRef: { name: 'tank' },
      nodeName: node,
      protocol: { protocolName: 'acme' },
      properties: [{ name: 'level', desired: { value: desired }, reportToCloud: true }],
    },
  }
}

const configMap = (name: string, mode: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data: { mode },
})

const SECRET = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'hidden', namespace: 'default' },
  stringData: { password: 'x' },
}

const pod = (name: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: { nodeName: 'edge-a', containers: [{ name: 'main', image: 'busybox' }], ...more },
})

const REPORTED = '{.status.twins[0].reported.value}'
const READY = '{.status.conditions[?(@.type=="Ready")].status}'

describe('delivery between real processes', { skip: needs('kubectl', 'mosquitto_pub', 'mosquitto_sub') }, () => {
  let fleet: Fleet
  let a: Half
  let b: Half

  before(async () => {
    fleet = await Fleet.start()
    ;[a, b] = await Promise.all([fleet.join('edge-a'), fleet.join('edge-b')])
    await fleet.apply(MODEL, tank('tank-a', 'edge-a'), tank('tank-b', 'edge-b'), tank('tank-old', 'edge-a'))
    await desiredAt(a, 'tank-a', '1')
    await desiredAt(a, 'tank-old', '1')
    await desiredAt(b, 'tank-b', '1')
  })

  after(async () => {
    await fleet?.[Symbol.asyncDispose]()
  })

  const twinAt = async (edge: Half, name: string, seconds?: number) => {
    const text = await retained(edge, `twins/default/${name}`, seconds)
    return text === undefined || text === '' ? undefined : JSON.parse(text)
  }
  const desiredAt = (edge: Half, name: string, value: string) =>
    eventually(`${name} wants ${value}`, async () => {
      const twin = await twinAt(edge, name)
      if (String(twin?.properties?.level?.desired) === value) return true
      throw new Error(JSON.stringify(twin))
    })
  const reportTopic = (name: string) => `$hw/events/device/default/${name}/twin/update`
  const reportOf = (value: string) => JSON.stringify({ event_id: '', twin: { level: { actual: { value } } } })
  const report = (edge: Half, name: string, value: string) => publish(edge, reportTopic(name), reportOf(value))

  const reportedAtCloud = (name: string, value: string) => fleet.untilField('device', name, REPORTED, value)
  const isGoneAt = (edge: Half, name: string) =>
    eventually(`${name} is gone`, async () =>
      onDisk(edge, `default/device/${name}`) === undefined && (await twinAt(edge, name, 1)) === undefined
        ? true
        : undefined,
    )
  const untilOnDisk = (edge: Half, key: string, section: string, field: string, wanted: string) =>
    eventually(`${key} has ${field} ${wanted}`, async () => {
      const object: Record<string, Record<string, unknown>> | undefined = Object(onDisk(edge, key))
      if (object?.[section]?.[field] === wanted) return true
      throw new Error(JSON.stringify(object))
    })
  const want = async (name: string, value: string) => {
    const patch = [{ op: 'add', path: '/spec/properties/0/desired', value: { value } }]
    return fleet.kubectl(['patch', 'device', name, '--type=json', '-p', JSON.stringify(patch)])
  }
  const nothingWaits = () =>
    eventually('all is acknowledged', async () => {
      const left =
        (await fleet.cloud.metric('skerry_cloudhub_outbox_depth')) + (await fleet.cloud.metric('skerry_queue_depth'))
      return left === 0 && (await fleet.cloud.metric('skerry_cloudhub_nodes')) === 2 ? true : undefined
    })
  const isConnected = (edge: Half) =>
    eventually('the edge is connected', async () =>
      (await edge.metric('skerry_edgehub_connected')) === 1 ? true : undefined,
    )

  it('nodes are Ready, with labels and taints of their configuration, conditions and addresses', async () => {
    const nodes = await fleet.kubectl(['get', 'nodes', '-l', 'example.com/site=harbour', '--no-headers'])
    assert.match(nodes.stdout, /^edge-a +Ready +agent,edge .* v1\.\d+\.\d+-skerry-/m)
    assert.match(nodes.stdout, /^edge-b +Ready /m)
    const described = (await fleet.kubectl(['describe', 'node', 'edge-a'])).stdout
    for (const [type, status] of [
      ['Ready', 'True'],
      ['MemoryPressure', 'False'],
      ['PIDPressure', 'False'],
    ]) {
      assert.match(described, new RegExp(`^ +${type} +${status} `, 'm'))
    }
    assert.match(described, /^ +DiskPressure +(True|False) /m)
    assert.match(described, /HolderIdentity: +edge-a/)
    assert.match(described, /Taints: +<none>/)
  })

  it('what changed while an edge was dead arrives when it is back, deletions too', async () => {
    await a.end('SIGKILL')
    assert.equal((await want('tank-a', '2')).code, 0)
    assert.equal((await want('tank-a', '3')).code, 0)
    assert.equal((await fleet.kubectl(['delete', 'device', 'tank-old'])).code, 0)
    await fleet.apply(tank('tank-new', 'edge-a', '4'))
    await desiredAt(b, 'tank-b', '1')
    await a.start()
    await desiredAt(a, 'tank-a', '3')
    await desiredAt(a, 'tank-new', '4')
    await isGoneAt(a, 'tank-old')
    await nothingWaits()
  })

  it('a pod brings what it uses, to its node alone; changes and deletions made meanwhile arrive', async () => {
    await fleet.apply(
      configMap('unused', 'x'),
      configMap('settings', 'one'),
      SECRET,
      pod('gone'),
      pod('app', {
        volumes: [
          { name: 'settings', configMap: { name: 'settings' } },
          { name: 'hidden', secret: { secretName: 'hidden' } },
        ],
      }),
    )
    await untilOnDisk(a, 'default/pod/gone', 'spec', 'nodeName', 'edge-a')
    await untilOnDisk(a, 'default/pod/app', 'spec', 'nodeName', 'edge-a')
    await untilOnDisk(a, 'default/configmap/settings', 'data', 'mode', 'one')
    await untilOnDisk(a, 'default/secret/hidden', 'data', 'password', 'eA==')
    await a.end('SIGKILL')
    await fleet.apply(configMap('settings', 'two'))
    assert.equal((await fleet.kubectl(['delete', 'pod', 'gone', '--force', '--grace-period=0'])).code, 0)
    await a.start()
    await untilOnDisk(a, 'default/configmap/settings', 'data', 'mode', 'two')
    await eventually('the pod is gone', async () => (onDisk(a, 'default/pod/gone') === undefined ? true : undefined))
    assert.equal(onDisk(a, 'default/configmap/unused'), undefined)
    assert.equal(onDisk(b, 'default/secret/hidden'), undefined)
    assert.equal((await fleet.kubectl(['delete', 'pod', 'app', '--force', '--grace-period=0'])).code, 0)
    for (const key of ['pod/app', 'configmap/settings', 'secret/hidden']) {
      await eventually(`${key} is gone`, async () => (onDisk(a, `default/${key}`) === undefined ? true : undefined))
    }
    await nothingWaits()
  })

  it('what was said at an edge without its cloud arrives, though the edge dies meanwhile', async () => {
    await fleet.cloud.end('SIGKILL')
    await report(a, 'tank-a', '11')
    await report(a, 'tank-a', '12')
    const messages = Array.from({ length: 50 }, (_, at) => `message ${at}`)
    await publish(a, 'app/user/log', ...messages)
    const offline = await a.status()
    assert.match(JSON.stringify(offline['road']), /"connected":false/)
    const text = (await a.skerry('status')).stdout
    assert.match(text, /not connected to 127\.0\.0\.1:\d+ for .*: .*skerry cloud running/)
    await a.end('SIGKILL')
    await fleet.cloud.start()
    await a.start()
    await reportedAtCloud('tank-a', '12')
    // Without a rule nobody wants them, but each has come, and once.
    await eventually('the messages have come', async () =>
      (await fleet.cloud.metric('skerry_cloudhub_user_messages_total')) >= messages.length ? true : undefined,
    )
    await eventually('the edge lets go of them', async () =>
      (await a.metric('skerry_edgehub_user_waiting')) === 0 ? true : undefined,
    )
    assert.equal(await fleet.cloud.metric('skerry_cloudhub_user_messages_total'), messages.length)
  })

  it('kill -9 of the cloud under load loses no change that it acknowledged', async () => {
    await isConnected(b)
    let acknowledged = 0
    const dying = eventually('some changes are made', async () => (acknowledged >= 103 ? true : undefined)).then(() =>
      fleet.cloud.end('SIGKILL'),
    )
    for (let value = 101; ; value++) {
      const ran = await want('tank-b', String(value))
      if (ran.code !== 0) break
      acknowledged = value
    }
    await dying
    await fleet.cloud.start()
    const kept = Number(await fleet.field('device', 'tank-b', '{.spec.properties[0].desired.value}'))
    // One that was on its way may have been kept without its answer.
    assert.ok(kept === acknowledged || kept === acknowledged + 1, `acknowledged ${acknowledged}, kept ${kept}`)
    await desiredAt(b, 'tank-b', String(kept))
  })

  it('kill -9 of an edge under load loses no report that its broker acknowledged', async () => {
    await isConnected(b)
    let acknowledged = 0
    const dead = new AbortController()
    const dying = eventually('some reports are made', async () => (acknowledged >= 203 ? true : undefined))
      .then(() => b.end('SIGKILL'))
      .then(() => dead.abort())
    for (let value = 201; ; value++) {
      if (!(await offer(b, reportTopic('tank-b'), reportOf(String(value)), dead.signal))) break
      acknowledged = value
    }
    await dying
    await b.start()
    await eventually('the last report is in the cloud', async () => {
      const reported = Number(await fleet.field('device', 'tank-b', REPORTED))
      if (reported === acknowledged || reported === acknowledged + 1) return true
      throw new Error(`acknowledged ${acknowledged}, in the cloud ${reported}`)
    })
  })

  it('a restart of the cloud sends nothing again that was acknowledged', async () => {
    await Promise.all([isConnected(a), isConnected(b)])
    await nothingWaits()
    const changes = async () =>
      (await a.metric('skerry_metamanager_changes_total')) + (await b.metric('skerry_metamanager_changes_total'))
    const before = await changes()
    await fleet.cloud.end('SIGTERM')
    await fleet.cloud.start()
    await nothingWaits()
    await want('tank-b', '300')
    await desiredAt(b, 'tank-b', '300')
    await nothingWaits()
    // The device that was changed now, and at most its status that came back with it.
    const more = (await changes()) - before
    assert.ok(more >= 1 && more <= 2, `${more} changes`)
  })

  it('an edge whose database was wiped gets everything again', async () => {
    await a.end('SIGKILL')
    for (const file of ['edge.db', 'edge.db-wal', 'edge.db-shm', 'mqtt.db', 'mqtt.db-wal', 'mqtt.db-shm']) {
      await rm(join(a.directory, file), { force: true })
    }
    await rm(join(a.directory, 'backups'), { recursive: true, force: true })
    await fleet.joinAgain(a, 'edge-a')
    await a.start()
    await desiredAt(a, 'tank-a', '3')
    await desiredAt(a, 'tank-new', '4')
    await nothingWaits()
  })

  it('a node that was deleted is cut off until it joins again', async () => {
    assert.equal((await fleet.kubectl(['delete', 'node', 'edge-b'])).code, 0)
    await eventually('the edge is cut off', async () => {
      const text = (await b.skerry('status')).stdout
      if (/not connected to .*skerry join|not connected to .*skerry node allow/.test(text)) return true
      throw new Error(text)
    })
    assert.notEqual((await fleet.kubectl(['get', 'node', 'edge-b'])).code, 0)
    await b.end('SIGTERM')
    await fleet.joinAgain(b, 'edge-b')
    await b.start()
    await fleet.untilField('node', 'edge-b', READY, 'True')
    await desiredAt(b, 'tank-b', '300')
  })

  it('every metric of both halves is explained', async () => {
    const page = await readFile(join(packageRoot, 'docs', 'reference', 'metrics.md'), 'utf8')
    const names = new Set([...(await fleet.cloud.metricNames()), ...(await a.metricNames())])
    assert.ok(names.size > 50, `${names.size}`)
    assert.deepEqual(
      [...names].filter((name) => !page.includes(`\`${name}\``)),
      [],
    )
  })
})
