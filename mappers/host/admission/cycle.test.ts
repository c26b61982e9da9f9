import assert from 'node:assert/strict'
import { it } from 'node:test'
import { parseCycle } from './cycle.ts'

it('a cycle that cannot be kept is said and not taken in silence', () => {
  const told = (raw: number) => {
    const { duration, warning } = parseCycle(raw)
    return [duration.milliseconds, warning ?? '']
  }
  assert.deepEqual(told(0), [1000, ''], 'KubeEdge writes 0 for none')
  assert.deepEqual(told(500), [500, ''])
  assert.deepEqual(told(-5), [1000, 'must be more than 0 ms; -5 is taken as 1000 ms'])
  assert.deepEqual(told(1), [10, '1 ms is too short and taken as 10 ms'])
  assert.deepEqual(told(5e8), [5e8, ''])
  assert.deepEqual(told(1e9), [1000, 'is in milliseconds; 1000000000 looks like nanoseconds and is taken as 1000 ms'])
})
