import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Value } from 'typebox/value'
import { silentLogger } from '../../platform/log/index.ts'
import { CloudConfig } from '../../schemas/config/index.ts'
import { clientAuthority, streamOptions } from './kubelets.ts'

function kubelets(given: object) {
  return Value.Parse(CloudConfig, Value.Default(CloudConfig, { cloudstream: { kubelets: given } })).cloudstream.kubelets
}

function waysOf(given: object, isEmbedded: boolean) {
  const warned: string[] = []
  const log = { ...silentLogger, warn: (message: string) => void warned.push(message) }
  return { way: streamOptions(kubelets(given), isEmbedded, log)?.nodes, warned: warned.length }
}

test('with the embedded API nodes are reached on loopback, whatever the endpoint listens on', () => {
  const loopback = { by: 'ports', address: '127.0.0.1' }
  assert.deepEqual(waysOf({}, true), { way: loopback, warned: 0 })
  assert.deepEqual(waysOf({ host: '0.0.0.0' }, true).way, loopback)
  assert.deepEqual(waysOf({ host: '::1' }, true).way, { by: 'ports', address: '::1' })
})

test('on a cluster loopback is that of somebody else: nodes are reached at an address that was named, or not at all', () => {
  assert.deepEqual(waysOf({}, false), { way: { by: 'nothing' }, warned: 1 })
  assert.deepEqual(waysOf({ host: '0.0.0.0' }, false).way, { by: 'nothing' })
  assert.deepEqual(waysOf({ host: '192.0.2.1' }, false).way, { by: 'ports', address: '192.0.2.1' })
  const named = { host: '0.0.0.0', advertise: '192.0.2.9', nodePorts: '20000-20001' }
  const range = { first: 20_000, last: 20_001 }
  assert.deepEqual(waysOf(named, false), { way: { by: 'ports', address: '192.0.2.9', range }, warned: 0 })
  assert.deepEqual(waysOf({ packetFilterPort: 10_351 }, false).way, { by: 'packet-filter', port: 10_351 })
})

test('what makes no sense is refused with where it stands', () => {
  const wrong = { code: 'PROCESS_KUBELETS_CONFIG' }
  for (const given of [{ certificate: 'a' }, { key: 'a' }, { advertise: 'cloud.example.net' }, { nodePorts: '2-1' }])
    assert.throws(() => streamOptions(kubelets(given), true, silentLogger), wrong)
  assert.throws(() => streamOptions(kubelets({ nodePorts: '60000-70000' }), true, silentLogger), wrong)
})

test('it may be off, and a file of client authorities goes before that of the embedded API', () => {
  assert.equal(streamOptions(kubelets({ enabled: false }), true, silentLogger), undefined)
  assert.deepEqual(clientAuthority(kubelets({ clientCa: '/ca' }), 'pem'), { clientAuthority: { file: '/ca' } })
  assert.deepEqual(clientAuthority(kubelets({}), 'pem'), { clientAuthority: { pem: 'pem' } })
  assert.deepEqual(clientAuthority(kubelets({}), undefined), {})
})
