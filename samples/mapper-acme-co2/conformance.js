// @ts-check
import { defineSubject } from 'skerry/mapper/testing'
import mapper from './index.js'
import { startSensor } from './sensor.js'

/** What the conformance suite tries the mapper on. */
export default defineSubject({
  mapper,
  entry: import.meta.resolve('./index.js'),
  // HTTP keeps nothing open between two calls.
  links: 'none',
  server: () => startSensor(),
  device: (server, index) => ({ url: `${server.url}/rooms/${index + 1}` }),
  cases: {
    readable: [
      { type: 'INT', visitor: { field: 'co2' }, value: 601, second: 602 },
      { type: 'FLOAT', visitor: { field: 'temperature' }, value: 21.5 },
      { type: 'STRING', visitor: { field: 'serial' }, value: 'A-1', second: 'A-2' },
      { type: 'BOOLEAN', visitor: { field: 'alarm' }, value: true, second: false },
    ],
    writable: { type: 'INT', visitor: { field: 'limit' }, value: 1200 },
    unwritable: { type: 'STRING', visitor: { field: 'serial' }, value: 'other' },
    broken: { type: 'INT', visitor: { field: 'radon' } },
    refused: { type: 'INT', visitor: { field: '' } },
    refusedDevice: { url: 'sensor.example' },
    many: () => ({ type: 'INT', visitor: { field: 'co2' }, value: 601 }),
  },
})
