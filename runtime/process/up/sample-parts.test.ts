import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { SimulatorEntry, SimulatorReach } from '../../../mappers/simulators/index.ts'
import { sampleParts } from './sample-parts.ts'

const entry = (sample: string, reach: SimulatorReach): SimulatorEntry => ({
  protocol: `${sample}-protocol`,
  aliases: [],
  sample,
  reach,
  transports: [],
  address: [],
  load: () => Promise.reject(new Error('nobody loads it here')),
})

const ENTRIES = [
  entry('pump', { kind: 'port', port: 'pump' }),
  entry('scale', { kind: 'serial' }),
  entry('lamp', { kind: 'broker' }),
]
const PORTS = {
  ...{
    apiserver: 1,
    cloudhub: 2,
    certificates: 3,
    stream: 0,
    tunnel: 0,
    router: 0,
    mqtt: 1884,
    mqttWebsocket: 4,
    http: 0,
    metricsCloud: 5,
    metricsEdge: 6,
    servicebus: 7,
    metaserver: 7,
  },
  ...{ pump: 5021, opcua: 4841 },
}

it('each sample is simulated where its protocol is reached, and left out where that cannot be', () => {
  const simulated = (problem?: string) =>
    sampleParts(ENTRIES, { directory: '/data', ports: PORTS, serialProblem: problem })
  assert.deepEqual(
    simulated().parts.map(({ args }) => args.join(' ')),
    [
      'simulate pump-protocol --port 5021',
      'simulate scale-protocol --serial /data/serial/scale',
      'simulate lamp-protocol --port 1884',
    ],
  )
  assert.deepEqual(simulated().left, [])
  const without = simulated('there are no pseudo-terminals')
  assert.deepEqual(without.left, ['the sample scale is left out: there are no pseudo-terminals'])
  assert.deepEqual(
    without.parts.map((part) => part.name),
    ['pump', 'lamp'],
  )
})
