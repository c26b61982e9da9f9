import { connect } from 'node:net'
import { type Check, type Finding, fail, ok, warn } from '../finding.ts'
import { addressOf } from './hub.ts'

/** CONNECT of MQTT 3.1.1 (§3.1): clean session, 5 s keep-alive, client id `skerry-doctor`, nobody's name. */
const CONNECT = Buffer.concat([
  Buffer.from([0x10, 25, 0, 4]),
  Buffer.from('MQTT'),
  Buffer.from([4, 2, 0, 5, 0, 13]),
  Buffer.from('skerry-doctor'),
])
/** §3.2: CONNACK, two bytes, flags, return code. Any code is an answer; 4 and 5 are that of a broker that asks for credentials. */
const CONNACK = 0x20
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'mqtt:': 1883, 'tcp:': 1883, 'mqtts:': 8883, 'ssl:': 8883 }

export const broker: Check = {
  name: 'broker',
  async run({ edge, endpoints }, signal) {
    const urls = new Set<string>()
    if (endpoints.mqtt !== undefined) urls.add(endpoints.mqtt)
    if (edge && edge.config.mqtt.mode !== 'internal') urls.add(edge.config.mqtt.external.url)
    return Promise.all([...urls].map((url) => judgeBroker(url, signal)))
  },
}

export async function judgeBroker(url: string, signal: AbortSignal): Promise<Finding> {
  const { protocol, hostname, port } = new URL(url)
  const at = addressOf(`${hostname}:${port || DEFAULT_PORTS[protocol] || 1883}`)
  const advice = `is it running? Try: mosquitto_sub -h ${at.host} -p ${at.port} -t 'twins/#' -W 5`
  try {
    const first = await firstBytes(at, protocol === 'mqtt:' || protocol === 'tcp:', signal)
    if (first === 'open') return ok(`the broker at ${url} takes connections`)
    if (first[0] === CONNACK) return ok(`the broker at ${url} answers`)
    return warn(`what listens at ${url} does not speak MQTT 3.1.1`, `ss -ltnp 'sport = :${at.port}' names the program`)
  } catch (error) {
    return fail(
      `the broker at ${url} does not answer: ${error instanceof Error ? error.message : String(error)}`,
      advice,
    )
  }
}

/** What it says to CONNECT; over TLS only whether it takes the connection. */
function firstBytes(
  at: { readonly host: string; readonly port: number },
  isPlain: boolean,
  signal: AbortSignal,
): Promise<Buffer | 'open'> {
  return new Promise<Buffer | 'open'>((resolve, reject) => {
    const socket = connect(at)
    const end = () => socket.destroy(new Error('no answer in time'))
    signal.addEventListener('abort', end, { once: true })
    socket.once('connect', () => (isPlain ? socket.write(CONNECT) : settle('open')))
    socket.once('data', settle)
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the connection was closed without an answer')))
    function settle(answer: Buffer | 'open'): void {
      resolve(answer)
      socket.destroy()
    }
  })
}
