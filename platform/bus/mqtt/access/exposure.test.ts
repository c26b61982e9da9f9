import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLoopback, isLoopbackHost } from '../../../http/loopback.ts'
import { exposureWarnings } from './exposure.ts'

const safe = { host: '127.0.0.1', anonymousRemote: 'none', hasUsers: false } as const

test('listeners on loopback are no cause for a warning, whatever else is set', () => {
  for (const host of ['127.0.0.1', 'localhost', '::1', '127.0.0.2']) {
    const websocket = { host, tls: false }
    assert.deepEqual(exposureWarnings({ ...safe, host, websocket, tls: { host }, anonymousRemote: 'full' }), [])
  }
})

test('what other machines reach is named, with what to do', () => {
  const plain = /unencrypted/
  const open = /need no credentials/
  const closed = /skerry mqtt password/
  const cases: readonly (readonly [object, readonly RegExp[]])[] = [
    [{ host: '0.0.0.0' }, [plain, closed]],
    [{ host: '::', hasUsers: true }, [plain]],
    [{ host: '0.0.0.0', anonymousRemote: 'read-only' }, [plain, open]],
    [{ websocket: { host: '0.0.0.0', tls: false }, hasUsers: true }, [plain]],
    [{ websocket: { host: '0.0.0.0', tls: true }, hasUsers: true }, []],
    [{ tls: { host: '0.0.0.0' } }, [closed]],
    [{ tls: { host: '0.0.0.0', clientCa: 'ca.pem' } }, []],
    [{ tls: { host: 'gateway.plant' }, anonymousRemote: 'full' }, [open]],
  ]
  for (const [given, expected] of cases) {
    const warnings = exposureWarnings({ ...safe, ...given })
    assert.equal(warnings.length, expected.length, JSON.stringify(given))
    for (const [index, pattern] of expected.entries()) assert.match(warnings[index] ?? '', pattern)
  }
})

test('an address is of this machine only as a whole', () => {
  for (const address of ['127.0.0.1', '127.255.0.9', '::1', '::ffff:127.0.0.1']) assert.ok(isLoopback(address), address)
  for (const address of [
    '10.0.0.1',
    '128.0.0.1',
    '::2',
    '::ffff:10.0.0.1',
    '127.0.0.1.evil',
    '',
    '0.0.0.0',
    '1127.0.0.1',
  ]) {
    assert.ok(!isLoopback(address), address)
  }
  assert.ok(isLoopbackHost('localhost') && !isLoopbackHost('localhost.evil'))
})
