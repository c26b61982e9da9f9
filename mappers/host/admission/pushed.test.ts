import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TIME_TO_LIVE_ANNOTATION } from '../../../schemas/index.ts'
import { configSchema, defineMapper, Type } from '../../contract/index.ts'
import { admit } from './admission.ts'

const mapper = (isPushed: boolean) =>
  defineMapper({
    contract: 1,
    protocol: 'both',
    deviceConfig: configSchema(Type.Object({})),
    visitorConfig: configSchema(Type.Object({ request: Type.Optional(Type.String()) })),
    connectionKey: () => 'line',
    connect: async () => ({ [Symbol.asyncDispose]: async () => undefined }),
    read: async () => new Map(),
    watch: async () => undefined,
    ...(isPushed ? { isPushed: (visitor: { request?: string }) => visitor.request === undefined } : {}),
  })

function polled(isPushed: boolean, annotations: Readonly<Record<string, string>> = {}) {
  const metadata = { name: 'a', namespace: 'default', uid: 'u', generation: 1 }
  const apiVersion = 'devices.kubeedge.io/v1beta1'
  const { plan } = admit(
    mapper(isPushed),
    {
      device: {
        ...{ apiVersion, kind: 'Device' },
        metadata: { ...metadata, annotations },
        spec: {
          protocol: { protocolName: 'both', configData: {} },
          properties: [
            { name: 'asked', visitors: { configData: { request: 'A?' } } },
            { name: 'told', visitors: { configData: { key: 1 } } },
          ],
        },
      },
      model: { apiVersion, kind: 'DeviceModel', metadata, spec: {} },
    },
    1,
  )
  return plan?.properties.filter(({ isPolled }) => isPolled).map(({ visit }) => visit.property.name)
}

describe('properties of a mapper that reads and watches', () => {
  it('are polled where the mapper says that nothing pushes them', () => {
    assert.deepEqual(polled(true), ['asked'])
  })

  it('are all pushed where it says nothing', () => {
    assert.deepEqual(polled(false), [])
  })

  it('are read too when their values have a time to live', () => {
    assert.deepEqual(polled(true, { [TIME_TO_LIVE_ANNOTATION]: 'told=5s' }), ['asked', 'told'])
  })
})
