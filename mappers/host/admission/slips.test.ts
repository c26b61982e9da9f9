import assert from 'node:assert/strict'
import { it } from 'node:test'
import { slipsIn } from './slips.ts'

const schema = {
  properties: { host: {}, port: {}, unitId: { 'x-aliases': ['slaveID'] }, securityMode: {}, timeout: {} },
}

it('a misspelt key is told with the one that was meant', () => {
  const told = (given: object) => slipsIn(given, schema).map(({ key, meant }) => `${key}: ${meant}`)
  assert.deepEqual(told({ host: 'h', prot: 502 }), ['prot: port'])
  assert.deepEqual(told({ securtyMode: 'none', timout: 1, salveid: 2 }), [
    'securtyMode: securityMode',
    'timout: timeout',
    'salveid: unitId',
  ])
})

it('keys of another mapper, other spellings and keys beside the right one are no slips', () => {
  assert.deepEqual(slipsIn({ HOST: 'h', SlaveId: 1, isSwap: true, vendor: {}, x: 1 }, schema), [])
  assert.deepEqual(slipsIn({ port: 502, ports: '502-510' }, schema), [])
  assert.deepEqual(slipsIn('text', schema), [])
  assert.deepEqual(slipsIn({ prot: 1 }, {}), [])
})
