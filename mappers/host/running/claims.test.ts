import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settleClaims } from './claims.ts'

const modbus = { protocol: 'modbus', aliases: ['modbus-tcp'], name: 'modbus' }
const mine = (protocol: string, name: string, aliases: readonly string[] = []) => ({ protocol, aliases, name })

test('a mapper of the configuration takes a built-in one over, with its other names', () => {
  const { used, builtIns } = settleClaims([mine('modbus', 'my-modbus')], [modbus])
  assert.deepEqual(used, [{ ok: true, serves: ['modbus', 'modbus-tcp'] }])
  assert.deepEqual(builtIns, [{ ok: true, serves: [], detail: 'my-modbus serves its protocol' }])
})

test('what somebody asked for by name is not taken over with the rest', () => {
  const { used, builtIns } = settleClaims([mine('modbus', 'a'), mine('fast', 'b', ['modbus-tcp'])], [modbus])
  assert.deepEqual(used, [
    { ok: true, serves: ['modbus'] },
    { ok: true, serves: ['fast', 'modbus-tcp'] },
  ])
  assert.deepEqual(builtIns, [{ ok: true, serves: [], detail: 'a serves its protocol' }])
})

test('an alias alone leaves the built-in mapper the rest', () => {
  const { builtIns } = settleClaims([mine('fast', 'b', ['modbus-tcp'])], [modbus])
  assert.deepEqual(builtIns, [{ ok: true, serves: ['modbus'] }])
})

test('of two mappers for one protocol the second is told who serves it', () => {
  const { used, builtIns } = settleClaims([mine('x', 'first'), mine('y', 'second', ['x'])], [modbus])
  assert.deepEqual(used[1], {
    ok: false,
    reason: 'protocol x is served by first already: remove one of them from mappers.use',
  })
  assert.deepEqual(builtIns, [{ ok: true, serves: ['modbus', 'modbus-tcp'] }])
})
