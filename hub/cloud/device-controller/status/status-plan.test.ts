import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Condition, Device, DeviceStatus, StatusTwin } from '../../../../schemas/index.ts'
import { pumpDevice } from '../../testing/harness.ts'
import { EDGE_ANNOTATION } from '../views/edge-record.ts'
import { nextWrite } from './status-plan.ts'
import type { WantedStatus } from './wanted-status.ts'

const twin = (value: string, metadata: Readonly<Record<string, string>> = {}): StatusTwin => ({
  propertyName: 'speed',
  reported: { value, metadata: { timestamp: value, type: 'int', ...metadata } },
})
const condition = (reason: string, message = '', type = 'Synced'): Condition => ({
  ...{ type, status: 'False', reason, message, lastTransitionTime: 'then' },
})

function wanted(over: Partial<WantedStatus> = {}): WantedStatus {
  const twins = { deviceTwins: [twin('1')], statusTwins: [twin('1')] }
  return {
    conditions: [condition('Pending')],
    intents: [],
    conflicts: [],
    state: 'online',
    reportedState: 'online',
    ...twins,
    record: 'e 1 1 -',
    ...over,
  }
}

/** Both objects as they are when everything of `told` is written. */
function written(told: WantedStatus): { readonly device: Device; readonly status: DeviceStatus } {
  const { conditions, intents, state, deviceTwins, statusTwins, reportedState, record } = told
  const device = {
    ...pumpDevice(),
    status: { conditions, intents, ...(state ? { state } : {}), ...(deviceTwins ? { twins: deviceTwins } : {}) },
  }
  const status = {
    ...{ apiVersion: 'devices.kubeedge.io/v1beta1', kind: 'DeviceStatus' },
    metadata: { name: 'pump-1', annotations: { [EDGE_ANNOTATION]: record ?? '' } },
    status: { ...(reportedState ? { state: reportedState } : {}), ...(statusTwins ? { twins: statusTwins } : {}) },
  }
  return { device, status }
}

function next(over: Partial<WantedStatus>) {
  const { device, status } = written(wanted())
  const found = nextWrite(device, status, wanted(over))
  return found && `${found.urgency} to ${found.target}`
}

test('where all is told there is nothing to write', () => {
  assert.equal(next({}), undefined)
})

test('a value goes to DeviceStatus, and then as a copy to Device', () => {
  const over = { deviceTwins: [twin('2', { sourceTime: '2' })], statusTwins: [twin('2')], record: 'e 2 1 -' }
  assert.equal(next(over), 'reading to status')
  const { status } = written(wanted(over))
  const { device } = written(wanted())
  assert.equal(nextWrite(device, status, wanted(over))?.urgency, 'mirror')
})

test('what only Device holds is there before the record says that it is told', () => {
  const bad = { deviceTwins: [twin('1', { quality: 'bad' })], record: 'e 2 1 -' }
  assert.equal(next(bad), 'state to device')
  const { device } = written(wanted({ ...bad, record: 'e 1 1 -' }))
  const { status } = written(wanted())
  const found = nextWrite(device, status, wanted(bad))
  assert.deepEqual(found, {
    target: 'status',
    urgency: 'reading',
    change: { annotations: { [EDGE_ANNOTATION]: 'e 2 1 -' } },
  })
})

test('what somebody waits for is a change of state, a message that quotes the present value is none', () => {
  assert.equal(next({ conditions: [condition('InSync')] }), 'state to device')
  assert.equal(next({ conditions: [condition('WriteFailed', 'other')] }), 'state to device')
  assert.equal(next({ conditions: [condition('Pending', 'the device says 3')] }), 'mirror to device')
  assert.equal(next({ deviceTwins: [], statusTwins: [] }), 'state to device')
  assert.equal(next({ state: 'offline', reportedState: 'offline' }), 'state to device')
  assert.equal(next({ reportedState: 'offline' }), 'state to status')
  assert.equal(next({ lastOnlineTime: 'now' }), 'reading to status')
})

test('a DeviceStatus that is missing is made at once', () => {
  const { device } = written(wanted())
  assert.equal(nextWrite(device, undefined, wanted())?.urgency, 'state')
})
