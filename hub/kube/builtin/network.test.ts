import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import type { ApiObject } from '../resource.ts'
import { fieldErrorText } from '../schema/field-error.ts'
import { prepareForCreate, validateBuiltin } from './rules.ts'

const POLICY = { group: 'networking.k8s.io', kind: 'NetworkPolicy' }
const SLICE = { group: 'discovery.k8s.io', kind: 'EndpointSlice' }
const ENDPOINTS = { group: '', kind: 'Endpoints' }

function object(body: JsonObject): ApiObject {
  return { ...body, apiVersion: 'v1', kind: 'Any', metadata: { name: 'a' } }
}

test('a network policy says which ways it closes, and ports are those of TCP', () => {
  const filled = (spec: JsonObject) => prepareForCreate(POLICY, object({ spec }))['spec']
  assert.deepEqual(filled({ podSelector: {} }), { podSelector: {}, policyTypes: ['Ingress'] })
  const rules = [{ ports: [{ port: 80 }, { port: 53, protocol: 'UDP' }] }, {}]
  const shown = [
    {
      ports: [
        { port: 80, protocol: 'TCP' },
        { port: 53, protocol: 'UDP' },
      ],
    },
    {},
  ]
  assert.deepEqual(filled({ ingress: rules, egress: rules }), {
    ...{ podSelector: {}, ingress: shown, egress: shown, policyTypes: ['Ingress', 'Egress'] },
  })
  const closed = { podSelector: {}, egress: [], policyTypes: ['Egress'] }
  assert.deepEqual(filled(closed), closed)
})

test('a slice of endpoints has a type of addresses for good, and ports with a name', () => {
  const slice = prepareForCreate(SLICE, object({ addressType: 'IPv4', endpoints: [], ports: [{ port: 80 }] }))
  assert.deepEqual(slice['ports'], [{ port: 80, name: '', protocol: 'TCP' }])
  const errors = (body: JsonObject, old?: ApiObject) => validateBuiltin(SLICE, object(body), old).map(fieldErrorText)
  assert.deepEqual(errors({ addressType: 'IPv4' }, slice), [])
  assert.deepEqual(errors({}), ['addressType: Required value'])
  assert.deepEqual(errors({ addressType: 'IPX' }), [
    'addressType: Unsupported value: "IPX": supported values: "FQDN", "IPv4", "IPv6"',
  ])
  assert.deepEqual(errors({ addressType: 'IPv6' }, slice), ['addressType: Invalid value: "IPv6": field is immutable'])
})

test('addresses that mean something else on each node are no endpoints', () => {
  const error = (ip: string) => {
    const [first] = validateBuiltin(ENDPOINTS, object({ subsets: [{ addresses: [{ ip }] }] }))
    return first ? fieldErrorText(first).replace(/^subsets\[0\]\.addresses\[0\]\.ip: Invalid value: "[^"]*": /, '') : ''
  }
  for (const ip of ['10.1.2.3', '2001:db8::1', '224.0.1.1']) assert.equal(error(ip), '')
  assert.equal(error('::'), 'may not be unspecified (::)')
  for (const ip of ['127.1.2.3', '::1', '::ffff:127.0.0.1'])
    assert.match(error(ip), /^may not be in the loopback range/)
  for (const ip of ['169.254.169.254', 'fe80::1']) assert.match(error(ip), /^may not be in the link-local range/)
  for (const ip of ['224.0.0.1', 'ff02::1']) assert.match(error(ip), /^may not be in the link-local multicast range/)
})
