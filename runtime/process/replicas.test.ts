import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Value } from 'typebox/value'
import { CloudConfig } from '../../schemas/config/index.ts'
import { routerOptions } from './replicas.ts'

const optionsOf = (router: object, kubelets = {}) =>
  routerOptions(Value.Parse(CloudConfig, Value.Default(CloudConfig, { router, cloudstream: { kubelets } })))

test('a cloud half alone listens for no replica', () => {
  assert.deepEqual(optionsOf({}), { host: '127.0.0.1', port: 9443, plainHttp: false })
})

test('one of several names the address at which the others reach it, the same as for kubelets', () => {
  const replicas = { enabled: true, port: 9500 }
  const at = (router: object, kubelets = {}) => optionsOf({ replicas, ...router }, kubelets).replicas
  const advertise = '192.0.2.7'
  assert.deepEqual(at({ host: '0.0.0.0' }, { advertise }), { host: '0.0.0.0', port: 9500, address: advertise })
  assert.deepEqual(at({ host: '192.0.2.1' }), { host: '192.0.2.1', port: 9500, address: '192.0.2.1' })
  assert.deepEqual(at({}), { host: '127.0.0.1', port: 9500, address: '127.0.0.1' })
})

test('where the others could not reach it, it says so', () => {
  const replicas = { enabled: true }
  const wrong = { code: 'PROCESS_REPLICAS_CONFIG' }
  assert.throws(() => optionsOf({ host: '0.0.0.0', replicas }), wrong)
  assert.throws(() => optionsOf({ replicas }, { advertise: '192.0.2.7' }), wrong)
  assert.throws(() => optionsOf({ host: 'cloud.example.net', replicas }), wrong)
})
