import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tunnelAddress } from './tunnel-address.ts'

const server = 'cloud.example:10000'

test('the configured address counts, whatever the cloud says', () => {
  const announced = { isSkerry: true, tunnel: '30004' }
  assert.equal(tunnelAddress({ server, tunnel: 'other.example:9' }, announced), 'other.example:9')
  assert.equal(tunnelAddress({ server, tunnel: 'other.example:9' }, undefined), 'other.example:9')
  assert.equal(tunnelAddress({ server, tunnel: 'off' }, announced), undefined)
})

test('without one it is beside CloudHub, on the port that the cloud says, or on KubeEdge’s', () => {
  assert.equal(tunnelAddress({ server }, undefined), undefined)
  assert.equal(tunnelAddress({ server }, { isSkerry: true, tunnel: '30004' }), 'cloud.example:30004')
  assert.equal(tunnelAddress({ server }, { isSkerry: true, tunnel: '' }), 'cloud.example:10004')
  assert.equal(tunnelAddress({ server }, { isSkerry: false, tunnel: '' }), 'cloud.example:10004')
  assert.equal(tunnelAddress({ server: '[::1]:10000' }, { isSkerry: true, tunnel: '7' }), '[::1]:7')
})

test('a cloud that has none, or says something else than a port, has none', () => {
  for (const tunnel of ['off', '0', '65536', '99999', '-1', 'a:b', '7/x'])
    assert.equal(tunnelAddress({ server }, { isSkerry: true, tunnel }), undefined, tunnel)
})
