import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CloudIntents, Device, DeviceConditionsStatus, DeviceModel } from '../../../../schemas/index.ts'
import { pumpDevice, pumpModel } from '../../testing/harness.ts'
import { intentsOf, readIntents, statusIntents } from './intents.ts'

const MODEL = pumpModel()

interface Facts {
  readonly generation?: number
  readonly status?: DeviceConditionsStatus
  readonly managedFields?: readonly unknown[]
}

function device(value: string | undefined, { generation = 1, status, managedFields }: Facts = {}): Device {
  const base = pumpDevice('pump-1', value)
  const metadata = { ...base.metadata, generation, ...(managedFields ? { managedFields } : {}) }
  return { ...base, metadata, ...(status ? { status } : {}) }
}

const intent = (at: Device, before: CloudIntents | undefined, now: number, model: DeviceModel | undefined = MODEL) =>
  intentsOf(at, model, before, now)['targetSpeed']

const shows = (origin: string, edge: string, timestamp: string): DeviceConditionsStatus => ({
  twins: [{ propertyName: 'targetSpeed', observedDesired: { value: '1', metadata: { origin, edge, timestamp } } }],
})

test('an intent is a value that changed its meaning, also one that was there before', () => {
  const first = intentsOf(device('40'), MODEL, {}, 100)
  assert.deepEqual(first, { targetSpeed: { value: '40', generation: 1, timestamp: 100, author: 'cloud' } })
  assert.equal(intentsOf(device('40', { generation: 2 }), MODEL, first, 200), first)
  assert.equal(intentsOf(device('+40', { generation: 2 }), MODEL, first, 200), first)
  const second = intentsOf(device('50', { generation: 3 }), MODEL, first, 300)
  const third = intentsOf(device('40', { generation: 4 }), MODEL, second, 400)
  assert.deepEqual(third['targetSpeed'], { value: '40', generation: 4, timestamp: 400, author: 'cloud' })
  assert.deepEqual(intentsOf(device(undefined, { generation: 5 }), MODEL, third, 500), {})
  assert.deepEqual(intentsOf(device('', { generation: 5 }), MODEL, third, 500), {})
})

test('it knows the wish of the edge that the Device showed when it was made, and no intent of the cloud', () => {
  const status = shows('edge', '7', '90')
  assert.deepEqual(intent(device('50', { generation: 2, status }), {}, 100)?.seen, { edge: 7, timestamp: 90 })
  assert.equal(intent(device('50', { generation: 2, status: shows('cloud', '7', '90') }), {}, 100)?.seen, undefined)
  assert.equal(intent(device('50', { generation: 2, status: shows('edge', 'x', '90') }), {}, 100)?.seen, undefined)
})

test('what was there before anybody wrote down is as old as can be, and has a time only where one is known', () => {
  assert.deepEqual(intent(device('40', { generation: 9 }), undefined, 100), {
    ...{ value: '40', generation: 1, author: 'cloud' },
  })
  assert.equal(intent(device('40', { generation: 1 }), undefined, 100)?.timestamp, 100)
})

const T = Date.parse('2026-08-06T12:00:00Z')
const owned = (manager: string, time: string, fields: object, more: object = {}) => ({
  ...{ manager, operation: 'Update', time, fieldsType: 'FieldsV1', ...more },
  fieldsV1: { 'f:spec': { 'f:properties': fields } },
})
const DESIRED = { 'k:{"name":"targetSpeed"}': { '.': {}, 'f:desired': { 'f:value': {} } } }

test('author and time are those of the field manager who owns the value; the latest of several', () => {
  const managedFields = [
    owned('argocd', '2026-08-06T11:00:00Z', DESIRED),
    owned('kubectl-patch', '2026-08-06T12:00:00Z', DESIRED),
    owned('other', '2026-08-06T13:00:00Z', { 'k:{"name":"speed"}': { 'f:desired': { 'f:value': {} } } }),
    owned('controller', '2026-08-06T13:00:00Z', DESIRED, { subresource: 'status' }),
    null,
  ]
  const at = (now: number) => intent(device('50', { generation: 2, managedFields }), {}, now)
  assert.deepEqual([at(T + 400)?.author, at(T + 400)?.timestamp], ['kubectl-patch', T + 400])
  assert.equal(at(T + 90_000)?.timestamp, T + 999, 'seen late: within the second that the API wrote')
  assert.equal(at(T - 5)?.timestamp, T, 'the clock of the API goes before ours')
})

test('a manager who owns the whole list owns each value in it', () => {
  const managedFields = [owned('kubeedge-ui', '2026-08-06T12:00:00Z', {})]
  assert.equal(intent(device('50', { generation: 2, managedFields }), {}, T)?.author, 'kubeedge-ui')
})

test('what is written down is read back, and an empty list is not the same as none', () => {
  const intents = intentsOf(device('40', { generation: 2, status: shows('edge', '7', '90') }), MODEL, {}, 100)
  assert.deepEqual(readIntents(device('40', { status: { intents: statusIntents(intents) } })), intents)
  assert.deepEqual(readIntents(device('40', { status: { intents: [] } })), {})
  assert.equal(readIntents(device('40', { status: {} })), undefined)
})
