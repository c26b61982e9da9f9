import assert from 'node:assert/strict'
import { it } from 'node:test'
import { configSchema, Type } from '../../../mappers/contract/index.ts'
import { unknownKeys } from './unknown-keys.ts'

const deviceSchema = configSchema(Type.Object({ host: Type.String(), port: Type.Integer({ default: 1 }) }), {
  aliases: { host: ['ip'] },
}).jsonSchema
const visitorSchema = configSchema(Type.Object({ field: Type.String() })).jsonSchema
const metadata = { name: 'd', namespace: 'default' }
const apiVersion = 'devices.kubeedge.io/v1beta1'

it('names each key that a mapper ignores, and the one that was meant', () => {
  const model = { apiVersion, kind: 'DeviceModel', metadata, spec: {} } as const
  const device = {
    ...({ apiVersion, kind: 'Device', metadata } as const),
    spec: {
      protocol: { protocolName: 'p', configData: { IP: 'a', prt: 2, colour: 'red' } },
      properties: [{ name: 'a', visitors: { configData: { Field: 'x', feld: 'x' } } }],
    },
  }
  assert.deepEqual(unknownKeys({ deviceSchema, visitorSchema }, { device, model }), [
    { pointer: '/spec/protocol/configData/prt', reason: 'is no key of this mapper and is ignored; did you mean port?' },
    {
      pointer: '/spec/protocol/configData/colour',
      reason: 'is no key of this mapper and is ignored; it has: host, port',
    },
    {
      pointer: '/spec/properties/0/visitors/configData/feld',
      reason: 'is no key of this mapper and is ignored; did you mean field?',
    },
  ])
})
