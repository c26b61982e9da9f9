import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Type } from 'typebox'
import { configSchema, defineMapper, type Reading, type VisitId } from './index.ts'

const deviceConfig = configSchema(Type.Object({ host: Type.String() }))
const visitorConfig = configSchema(Type.Object({ offset: Type.Integer() }))

/** Equal only for identical types; the compiler is the test. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_proof: Same<A, B>) => undefined

it('infers the three types of a mapper from its value', () => {
  const mapper = defineMapper({
    contract: 1,
    protocol: 'x',
    deviceConfig,
    visitorConfig,
    connectionKey: (device) => {
      same<typeof device, { host: string }>(true)
      return device.host
    },
    connect: async () => ({ socket: 7, [Symbol.asyncDispose]: async () => undefined }),
    read: async (connection, visits) => {
      same<(typeof connection)['socket'], number>(true)
      for (const visit of visits) same<typeof visit.visitor, { offset: number }>(true)
      return new Map<VisitId, { ok: true; value: Reading }>()
    },
  })
  assert.ok(Object.isFrozen(mapper))
})

it('does not compile what breaks the contract', () => {
  const rest = { contract: 1, protocol: 'x', deviceConfig, visitorConfig } as const
  const connection = { [Symbol.asyncDispose]: async () => undefined }
  // @ts-expect-error a connection has to be disposable
  defineMapper({ ...rest, connectionKey: () => 'a', connect: async () => ({}) })
  // @ts-expect-error a device config has no such key
  defineMapper({ ...rest, connectionKey: (device) => device.port, connect: async () => connection })
  // @ts-expect-error another contract needs an adapter
  defineMapper({ ...rest, contract: 2, connectionKey: () => 'a', connect: async () => connection })
  // @ts-expect-error a visit id comes from a visit, not from a text
  const id: VisitId = 'default/pump-1/speed'
  assert.ok(id)
})
