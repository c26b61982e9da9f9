import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { needs } from '../../../tools/testing/needs.ts'
import {
  deviceField,
  mqttAt,
  PUMP_TOPIC,
  patchSpeed,
  registerOf,
  untilDeviceField,
  waitSynced,
} from '../testing/pump.ts'
import { collect, eventually, run } from '../testing/run.ts'
import { type RunningUp, startUp, temporaryDirectory } from '../testing/up.ts'

describe('a real pump is managed with kubectl', {
  skip: needs('kubectl', 'mbpoll', 'mosquitto_pub', 'mosquitto_sub'),
}, () => {
  let up: RunningUp

  before(async () => {
    up = await startUp(temporaryDirectory())
    await untilDeviceField(up, '{.status.state}', 'online')
  })

  after(() => up.stop())

  describe('down', () => {
    it('brings a patched speed to the Modbus register, and wait returns after the read-back', async () => {
      const patched = await patchSpeed(up, '1500')
      assert.equal(patched.code, 0, patched.stderr)
      await waitSynced(up)
      assert.equal(await registerOf(up), 1500)
      assert.equal(await deviceField(up, '{.status.twins[?(@.propertyName=="targetSpeed")].reported.value}'), '1500')
    })

    it('brings an applied manifest to the coil', async () => {
      const device = JSON.parse((await up.kubectl('get', 'device', 'pump-1', '-o', 'json')).stdout)
      const file = join(up.directory, 'pump-1.json')
      const manifest = {
        apiVersion: device.apiVersion,
        kind: device.kind,
        metadata: { name: 'pump-1', namespace: 'default' },
        spec: {
          ...device.spec,
          properties: device.spec.properties.map((property: { name: string }) =>
            property.name === 'running' ? { ...property, desired: { value: 'true' } } : property,
          ),
        },
      }
      await writeFile(file, JSON.stringify(manifest))
      const applied = await up.kubectl('apply', '-f', file)
      assert.equal(applied.code, 0, applied.stderr)
      await waitSynced(up)
      await untilDeviceField(up, '{.status.twins[?(@.propertyName=="running")].reported.value}', 'true')
      await untilDeviceField(up, '{.status.twins[?(@.propertyName=="speed")].reported.value}', /^[1-9]/)
    })

    for (const [what, value, reason] of [
      ['above the maximum', '3001', /less than or equal to 3000/],
      ['below the minimum', '-1', /greater than or equal to 0/],
      ['of another type', 'fast', /integer/],
    ] as const) {
      it(`refuses a speed ${what}, naming the field, and leaves the register alone`, async () => {
        const before = await registerOf(up)
        const patched = await patchSpeed(up, value)
        assert.notEqual(patched.code, 0)
        assert.match(patched.stderr, /spec\.properties\[0\]\.desired\.value/)
        assert.match(patched.stderr, reason)
        assert.equal(await registerOf(up), before)
      })
    }

    it('refuses a desired value of a read-only property', async () => {
      const patch = [{ op: 'add', path: '/spec/properties/1/desired', value: { value: '5' } }]
      const patched = await up.kubectl('patch', 'device', 'pump-1', '--type=json', '-p', JSON.stringify(patch))
      assert.notEqual(patched.code, 0)
      assert.match(patched.stderr, /spec\.properties\[1\]\.desired\.value/)
      assert.match(patched.stderr, /ReadOnly/)
    })

    it('shows Accepted=False where the API could not know the model', async () => {
      const manifest = {
        apiVersion: 'devices.kubeedge.io/v1beta1',
        kind: 'Device',
        metadata: { name: 'orphan', namespace: 'default' },
        spec: {
          deviceModelRef: { name: 'nowhere' },
          nodeName: 'edge-1',
          protocol: { protocolName: 'modbus', configData: { ip: '127.0.0.1', port: 1 } },
          properties: [{ name: 'a', desired: { value: '1' } }],
        },
      }
      const file = join(up.directory, 'orphan.json')
      await writeFile(file, JSON.stringify(manifest))
      assert.equal((await up.kubectl('apply', '-f', file)).code, 0)
      const waited = await up.kubectl('wait', '--for=condition=Accepted=false', 'device/orphan', '--timeout=10s')
      assert.equal(waited.code, 0, waited.stderr)
      const shown = await up.kubectl(
        'get',
        'device',
        'orphan',
        '-o',
        'jsonpath={.status.conditions[?(@.type=="Accepted")].message}',
      )
      assert.match(shown.stdout, /nowhere/)
      assert.equal((await up.kubectl('delete', 'device', 'orphan', '--timeout=10s')).code, 0)
      await eventually('the DeviceStatus of orphan is gone', async () =>
        (await up.kubectl('get', 'devicestatus', 'orphan')).code === 0 ? undefined : true,
      )
    })
  })

  describe('up', () => {
    it('prints node, protocol, state and sync of four different devices, all online', async () => {
      const waited = await up.kubectl('wait', '--for=condition=Online', 'device', '--all', '--timeout=60s')
      assert.equal(waited.code, 0, waited.stderr)
      await up.kubectl('wait', '--for=condition=Synced', 'device', '--all', '--timeout=20s')
      const { stdout } = await up.kubectl('get', 'devices')
      const [header = '', ...rows] = stdout.trimEnd().split('\n')
      assert.match(header, /^NAME +NODE +PROTOCOL +STATE +SYNCED +AGE$/)
      assert.deepEqual(
        rows.map((row) => row.split(/ +/).slice(0, 5).join(' ')),
        [
          'balance-1 edge-1 bluetooth-serial online True',
          'boiler-1 edge-1 opcua online True',
          'plug-1 edge-1 mqtt online True',
          'pump-1 edge-1 modbus online True',
        ],
      )
    })

    it('carries readings to the Device and its DeviceStatus', async () => {
      const temperature = '{.status.twins[?(@.propertyName=="temperature")].reported.value}'
      assert.match(await deviceField(up, temperature), /^\d+(\.\d+)?$/)
      await eventually('the DeviceStatus has it too', async () =>
        /^\d/.test(await deviceField(up, temperature, 'devicestatus')) ? true : undefined,
      )
      assert.equal(await deviceField(up, '{.metadata.ownerReferences[0].name}', 'devicestatus'), 'pump-1')
    })

    it('shows changes to a watcher; a stopped pump goes offline, a started one heals', async () => {
      const env = { ...process.env, KUBECONFIG: up.endpoints.kubeconfig, HOME: up.directory }
      const watcher = spawn('kubectl', ['get', 'devices', '-w'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
      const output = collect(watcher)
      await output.waitFor(/pump-1 .* online/)
      const stopped = await up.skerry('stop', 'pump')
      assert.equal(stopped.code, 0, stopped.stderr)
      await output.waitFor(/pump-1 .* offline/, 20_000)
      const message = await deviceField(up, '{.status.conditions[?(@.type=="Online")].message}')
      assert.notEqual(message, '')
      const seen = output.stdout().length
      const started = await up.skerry('start', 'pump')
      assert.equal(started.code, 0, started.stderr)
      await output.waitFor(/pump-1 .* online/, 30_000, seen)
      watcher.kill()
      await once(watcher, 'close')
      await waitSynced(up)
    })

    it('a pump that takes requests and never answers is offline after its own deadline', async () => {
      const pid = await up.pid('pump')
      process.kill(pid, 'SIGSTOP')
      try {
        const online = '{.status.conditions[?(@.type=="Online")]}'
        const told = await untilDeviceField(up, online, /"status":"False"/, 10_000)
        // The sample says timeout: 1000; the host allows 10 ms more for each property that it asks for.
        assert.match(told, /no answer within 10\d0 ms/)
      } finally {
        process.kill(pid, 'SIGCONT')
      }
      await untilDeviceField(up, '{.status.state}', 'online', 20_000)
      await waitSynced(up)
    })

    it('a silent pump makes its values stale, and an answering one makes them fresh again', async () => {
      const waited = (status: string, timeout: string) =>
        up.kubectl('wait', `--for=condition=Fresh=${status}`, 'device/pump-1', `--timeout=${timeout}`)
      const fresh = await waited('True', '10s')
      assert.equal(fresh.code, 0, fresh.stderr)
      const stopped = await up.skerry('stop', 'pump')
      assert.equal(stopped.code, 0, stopped.stderr)
      const stale = await waited('False', '30s')
      assert.equal(stale.code, 0, stale.stderr)
      const message = await deviceField(up, '{.status.conditions[?(@.type=="Fresh")].message}')
      assert.match(message, /^speed since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/)
      const metadata = '{.status.twins[?(@.propertyName=="speed")].reported.metadata}'
      assert.match(await deviceField(up, metadata), /"stale":"true"/)
      const started = await up.skerry('start', 'pump')
      assert.equal(started.code, 0, started.stderr)
      const again = await waited('True', '30s')
      assert.equal(again.code, 0, again.stderr)
      assert.doesNotMatch(await deviceField(up, metadata), /stale/)
      const story = await up.kubectl('describe', 'device', 'pump-1')
      assert.match(story.stdout, /Warning +Stale/)
      await untilDeviceField(up, '{.status.state}', 'online', 20_000)
      await waitSynced(up)
    })

    it('tells the story in events', async () => {
      const ran = await up.kubectl('describe', 'device', 'pump-1')
      assert.equal(ran.code, 0, ran.stderr)
      assert.match(ran.stdout, /Offline/)
    })
  })

  describe('local MQTT', () => {
    const subscribe = (topic: string, count: number) => {
      const child = spawn(
        'mosquitto_sub',
        [...mqttAt(up), '-v', '-q', '1', '-t', topic, '-C', String(count), '-W', '15'],
        {
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      )
      return { child, output: collect(child) }
    }
    const publish = async (topic: string, message: string) => {
      const ran = await run('mosquitto_pub', [...mqttAt(up), '-q', '1', '-t', topic, '-m', message])
      assert.equal(ran.code, 0, ran.stderr)
    }
    /** mosquitto_sub says nothing when its subscription stands, so questions are repeated until it answers. */
    const ask = async (request: string, message: string, answer: string): Promise<string> => {
      const { child, output } = subscribe(answer, 1)
      const closed = once(child, 'close')
      let done = false
      closed.then(() => {
        done = true
      })
      await eventually(`an answer on ${answer}`, async () => {
        await publish(request, message)
        return done ? true : undefined
      })
      return output.stdout().slice(answer.length + 1)
    }

    it('answers twin/get with all twins and without versions', async () => {
      const answer = JSON.parse(
        await ask(`${PUMP_TOPIC}/twin/get`, '{"event_id":"g-1"}', `${PUMP_TOPIC}/twin/get/result`),
      )
      assert.equal(answer.event_id, 'g-1')
      assert.deepEqual(Object.keys(answer.twin).sort(), ['alarm', 'running', 'speed', 'targetSpeed', 'temperature'])
      assert.equal(answer.twin.targetSpeed.expected.value, '1500')
      assert.equal(answer.twin.targetSpeed.expected_version, undefined)
    })

    it('takes an expected value: result, delta, document, and the register follows', async () => {
      const { child, output } = subscribe(`${PUMP_TOPIC}/twin/update/+`, 40)
      await eventually('the subscription stands', async () => {
        await publish(`${PUMP_TOPIC}/twin/update`, '{"event_id":"probe","twin":{"note":{"actual":{"value":"a b"}}}}')
        return output.stdout().includes('update/result') ? true : undefined
      })
      await publish(
        `${PUMP_TOPIC}/twin/update`,
        '{"event_id":"e-2","twin":{"targetSpeed":{"expected":{"value":"900"}}}}',
      )
      const result = await output.waitFor(/update\/result (\{"event_id":"e-2".*\})/)
      assert.equal(JSON.parse(result[1] ?? '').twin.targetSpeed.expected.value, '900')
      const delta = await output.waitFor(/update\/delta (\{.*"delta":\{"targetSpeed":"900"\}.*\})/)
      assert.notEqual(JSON.parse(delta[1] ?? '').event_id, 'e-2')
      await output.waitFor(/update\/document (\{"event_id":"e-2".*\})/)
      child.kill()
      await once(child, 'close')
      await eventually('the register holds 900', async () => ((await registerOf(up)) === 900 ? true : undefined))
    })

    it('shows the edge override in kubectl until the next cloud intent', async () => {
      await untilDeviceField(up, '{.status.conditions[?(@.type=="Synced")].reason}', 'EdgeOverride')
      assert.equal((await patchSpeed(up, '1200')).code, 0)
      await waitSynced(up)
      assert.equal(await registerOf(up), 1200)
    })

    it('answers an update of an unknown device with 404 on its own topic', async () => {
      const topic = '$hw/events/device/default/nobody/twin'
      const answer = JSON.parse(
        await ask(
          `${topic}/update`,
          '{"event_id":"e-4","twin":{"a":{"actual":{"value":"1"}}}}',
          `${topic}/update/result`,
        ),
      )
      assert.deepEqual([answer.event_id, answer.code], ['e-4', 404])
    })

    it('answers an unparsable update with 400', async () => {
      const answer = JSON.parse(await ask(`${PUMP_TOPIC}/twin/update`, '{"twin":', `${PUMP_TOPIC}/twin/update/result`))
      assert.equal(answer.code, 400)
    })
  })
})
