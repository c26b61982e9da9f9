// @ts-check
import { defineSubject } from 'skerry/mapper/testing'
import mapper from './index.js'
import { startThermometers } from './sensor.js'

/** What the conformance suite tries the mapper on. */
export default defineSubject({
  mapper,
  entry: import.meta.resolve('./index.js'),
  links: 'own',
  server: () => startThermometers(),
  device: (server, index) => ({ port: server.address(index) }),
  cases: {
    readable: [
      { type: 'FLOAT', visitor: { name: 'TEMP' }, value: '21.5', second: '22.5' },
      { type: 'STRING', visitor: { name: 'SERIAL' }, value: 'T-21.5', second: 'T-22.5' },
    ],
    writable: { type: 'INT', visitor: { name: 'LIMIT' }, value: '30' },
    unwritable: { type: 'STRING', visitor: { name: 'SERIAL' }, value: 'other' },
    broken: { type: 'FLOAT', visitor: { name: 'RADON' } },
    refused: { type: 'FLOAT', visitor: { name: 'not a name' } },
    refusedDevice: { port: '' },
    many: () => ({ type: 'FLOAT', visitor: { name: 'TEMP' }, value: '21.5' }),
  },
})
