import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { advancePump, RESTING_PUMP } from './pump-physics.ts'

describe('the simulated pump', () => {
  it('reaches its speed with inertia, warms up and alarms', () => {
    const told = { ...RESTING_PUMP, targetSpeed: 3000 }
    const soon = advancePump(told, 1)
    assert.ok(soon.speed > 1000 && soon.speed < 2000, `${soon.speed}`)
    const late = advancePump(told, 300)
    assert.equal(Math.round(late.speed), 3000)
    assert.equal(Math.round(late.temperature), 80)
    assert.deepEqual([soon.alarm, late.alarm], [false, true])
  })

  it('keeps its alarm until it has cooled down below 65 degC', () => {
    const hot = { ...RESTING_PUMP, temperature: 68, alarm: true, running: false, targetSpeed: 3000 }
    assert.equal(advancePump(hot, 0.5).alarm, true)
    assert.equal(advancePump(hot, 10).alarm, false)
    assert.equal(advancePump({ ...hot, alarm: false }, 0.5).alarm, false)
  })

  it('is hardly different however often somebody looks', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 1, max: 100 }), (targetSpeed, looks) => {
        const told = { ...RESTING_PUMP, targetSpeed }
        let looked = told
        for (let look = 0; look < looks; look++) looked = advancePump(looked, 20 / looks)
        const once = advancePump(told, 20)
        assert.ok(Math.abs(looked.speed - once.speed) < 1)
        assert.ok(Math.abs(looked.temperature - once.temperature) < 0.5)
      }),
      { numRuns: 30 },
    )
  })
})
