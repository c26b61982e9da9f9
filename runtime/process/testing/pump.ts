import assert from 'node:assert/strict'
import { connectAsync } from 'mqtt'
import { eventually, run } from './run.ts'
import type { RunningUp } from './up.ts'

/** JSON path of kubectl, e.g. `{.status.state}`. */
export async function deviceField(up: RunningUp, path: string, kind = 'device'): Promise<string> {
  const ran = await up.kubectl('get', kind, 'pump-1', '-o', `jsonpath=${path}`)
  assert.equal(ran.code, 0, ran.stderr)
  return ran.stdout
}

export function untilDeviceField(
  up: RunningUp,
  path: string,
  wanted: string | RegExp,
  timeoutMs?: number,
): Promise<string> {
  const matches = (text: string) => (typeof wanted === 'string' ? text === wanted : wanted.test(text))
  return eventually(
    `${path} of pump-1 is ${wanted}`,
    async () => {
      const text = await deviceField(up, path)
      if (matches(text)) return text
      throw new Error(`it is ${text}`)
    },
    timeoutMs,
  )
}

/** The patch that the README shows. */
export function patchSpeed(up: RunningUp, value: string) {
  const patch = [{ op: 'add', path: '/spec/properties/0/desired', value: { value } }]
  return up.kubectl('patch', 'device', 'pump-1', '--type=json', '-p', JSON.stringify(patch))
}

export async function waitSynced(up: RunningUp): Promise<void> {
  const ran = await up.kubectl('wait', '--for=condition=Synced', 'device/pump-1', '--timeout=10s')
  assert.equal(ran.code, 0, ran.stderr)
}

/** The holding register of targetSpeed as an independent Modbus client (mbpoll) reads it. */
export async function registerOf(up: RunningUp): Promise<number> {
  const { hostname, port } = new URL(up.endpoints.simulators?.['pump'] ?? 'tcp://127.0.0.1:0')
  const ran = await run('mbpoll', ['-m', 'tcp', '-p', port, '-a', '1', '-0', '-r', '0', '-c', '1', '-1', hostname])
  const match = /\[0\]:\s+(-?\d+)/.exec(ran.stdout)
  assert.ok(match, `mbpoll printed no register: ${ran.stdout} ${ran.stderr}`)
  return Number(match[1])
}

export function mqttAt(up: RunningUp): readonly string[] {
  const { hostname, port } = new URL(up.endpoints.mqtt ?? 'mqtt://127.0.0.1:1883')
  return ['-h', hostname, '-p', port]
}

export const PUMP_TOPIC = '$hw/events/device/default/pump-1'

/** Sets a desired value over MQTT and settles with the edge's acknowledgement: the result message with our event id. */
export async function setDesired(up: RunningUp, property: string, value: string): Promise<void> {
  const client = await connectAsync(up.endpoints.mqtt ?? '', { connectTimeout: 5000, reconnectPeriod: 0 })
  try {
    const eventId = `edge-${property}-${value}`
    const answered = new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no result within 10 s')), 10_000)
      client.on('message', (_topic, payload) => {
        const text = payload.toString('utf8')
        if (!text.includes(eventId)) return
        clearTimeout(timer)
        resolve(text)
      })
    })
    await client.subscribeAsync(`${PUMP_TOPIC}/twin/update/result`, { qos: 1 })
    const message = { event_id: eventId, twin: { [property]: { expected: { value } } } }
    await client.publishAsync(`${PUMP_TOPIC}/twin/update`, JSON.stringify(message), { qos: 1 })
    assert.equal(JSON.parse(await answered).code, undefined)
  } finally {
    await client.endAsync(true)
  }
}
