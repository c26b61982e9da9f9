import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import { parse } from 'yaml'
import { type Mosquitto, startMosquitto } from '../../platform/bus/mqtt/testing/index.ts'
import type { AssignedDevice, JsonObject } from '../../schemas/index.ts'
import { needs } from '../../tools/testing/needs.ts'
import { hostMqtt } from './testing/hosted.ts'

const mosquitto = { skip: needs('mosquitto', 'mosquitto_pub', 'mosquitto_sub'), timeout: 60_000 }

async function sample(name: string, configData: JsonObject): Promise<AssignedDevice> {
  const read = async (file: string) =>
    parse(await readFile(new URL(`../../samples/${name}/${file}.yaml`, import.meta.url), 'utf8'))
  const [model, device] = [await read('model'), await read('device')]
  const { protocol } = device.spec
  return {
    model,
    device: {
      ...device,
      metadata: { ...device.metadata, uid: 'u', generation: 1 },
      spec: { ...device.spec, protocol: { ...protocol, configData: { ...protocol.configData, ...configData } } },
    },
  }
}

/** A device of mosquitto_sub and mosquitto_pub: a shell line for each message, with TOPIC and PAYLOAD. */
async function device(t: TestContext, broker: Mosquitto, listen: string, line: string, will: readonly string[]) {
  const port = String(broker.port)
  const publish = `publish() { mosquitto_pub -p ${port} -q 1 "$@"; }`
  const subscribe = `mosquitto_sub -p ${port} -F '%t|%p' "$@"`
  const script = `${publish}; ${subscribe} | while IFS='|' read -r TOPIC PAYLOAD; do ${line}; done`
  const args = ['-c', script, 'device', '-t', listen, ...will]
  const child = spawn('bash', args, { detached: true, stdio: 'ignore' })
  const kill = () => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, 'SIGKILL')
  }
  t.after(kill)
  await broker.logged(/Sending SUBACK/)
  return { kill }
}

async function publish({ port }: Mosquitto, ...more: readonly string[]): Promise<void> {
  const child = spawn('mosquitto_pub', ['-p', String(port), '-q', '1', ...more], { stdio: 'ignore' })
  const [code] = await once(child, 'exit')
  assert.equal(code, 0)
}

const will = (topic: string, payload: string) => [
  ...['--will-topic', topic, '--will-payload', payload, '--will-retain'],
]

test(
  'a plug with Tasmota is switched, measured, asked at the start, and gone with its last will',
  mosquitto,
  async (t) => {
    const broker = await startMosquitto(t)
    const topic = 'tasmota_4C11AE'
    // As the firmware does: an empty command is a question, and both are answered on stat/.
    const line = `[ -z "$PAYLOAD" ] || P=$PAYLOAD; publish -t stat/${topic}/POWER -m "$P"`
    const plug = await device(
      t,
      broker,
      `cmnd/${topic}/POWER`,
      `P=\${P:-OFF}; ${line}`,
      will(`tele/${topic}/LWT`, 'Offline'),
    )
    await publish(broker, '-r', '-t', `tele/${topic}/LWT`, '-m', 'Online')
    const host = hostMqtt(t, { url: `mqtt://127.0.0.1:${broker.port}` })
    host.assign(await sample('tasmota', {}))
    await host.state('kettle-plug', 'online')
    await host.value('kettle-plug', 'power', 'false')
    host.order('kettle-plug', 'power', 'true')
    assert.equal((await host.written('power')).failure, undefined)
    await host.value('kettle-plug', 'power', 'true')
    const energy = '{"Time":"2026-05-01T10:00:00","ENERGY":{"Total":3.185,"Power":1980,"Voltage":229}}'
    await publish(broker, '-t', `tele/${topic}/SENSOR`, '-m', energy)
    await host.value('kettle-plug', 'load', '1980')
    await host.value('kettle-plug', 'energy', '3.185')
    await publish(broker, '-t', `tele/${topic}/STATE`, '-m', '{"POWER":"ON","Wifi":{"AP":1,"RSSI":74}}')
    await host.value('kettle-plug', 'signal', '74')
    plug.kill()
    assert.match((await host.state('kettle-plug', 'offline')).reason ?? '', /"Offline" on tele\/tasmota_4C11AE\/LWT/)
  },
)

test(
  'a lamp behind Zigbee2MQTT takes JSON commands, tells of some values only, and is away when the bridge says so',
  mosquitto,
  async (t) => {
    const broker = await startMosquitto(t)
    const base = 'zigbee2mqtt/desk lamp'
    // The bridge publishes what the lamp has confirmed, with its radio quality, and answers questions on the same topic.
    const line = [
      'case "$PAYLOAD" in *ON*) S=ON;; *OFF*) S=OFF;; esac;',
      'case "$TOPIC" in',
      `*/get) publish -t '${base}' -m "{\\"state\\":\\"\${S:-OFF}\\",\\"linkquality\\":92}";;`,
      `*/set) BODY=\${PAYLOAD#?}; publish -t '${base}' -m "{\\"linkquality\\":80,$BODY";;`,
      'esac',
    ].join(' ')
    await device(t, broker, `${base}/+`, line, [])
    await publish(broker, '-r', '-t', `${base}/availability`, '-m', '{"state":"online"}')
    const host = hostMqtt(t)
    host.assign(await sample('zigbee2mqtt', { broker: `mqtt://127.0.0.1:${broker.port}` }))
    await host.state('desk-lamp', 'online')
    await host.value('desk-lamp', 'light', 'false')
    await host.value('desk-lamp', 'linkQuality', '92')
    assert.deepEqual(host.readings('desk-lamp', 'brightness'), [], 'a message without it is about something else')
    host.order('desk-lamp', 'brightness', '120')
    assert.equal((await host.written('brightness')).failure, undefined)
    await host.value('desk-lamp', 'brightness', '120')
    host.order('desk-lamp', 'light', 'true', 'o-2')
    assert.equal((await host.written('light')).failure, undefined)
    await host.value('desk-lamp', 'light', 'true')
    await publish(broker, '-r', '-t', `${base}/availability`, '-m', '{"state":"offline"}')
    await host.state('desk-lamp', 'offline')
  },
)
