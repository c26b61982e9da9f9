import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seconds } from '../../../../platform/time/index.ts'
import { FakeClock } from '../../../../platform/time/testing/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'
import { Heartbeats } from './heartbeats.ts'

const TICK = seconds(5)

const lease = (renewTime: string): ApiObject => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'edge-1' },
  spec: { renewTime },
})

async function ticking(clock: FakeClock, heartbeats: Heartbeats, secondsLong: number): Promise<void> {
  for (let passed = 0; passed < secondsLong; passed += TICK.milliseconds / 1000) {
    await clock.advance(TICK)
    heartbeats.tick()
  }
}

test('silence is counted from the last renewal that differed, by the clock of this process', async () => {
  const clock = new FakeClock()
  const heartbeats = new Heartbeats(clock, TICK)
  heartbeats.hear(undefined, lease('2001-01-01T00:00:00Z'), 'edge-1')
  await ticking(clock, heartbeats, 30)
  heartbeats.hear(undefined, lease('2001-01-01T00:00:00Z'), 'edge-1')
  assert.equal(heartbeats.silenceOf('edge-1').milliseconds, 30_000)
  heartbeats.hear(undefined, lease('2001-01-01T00:00:10Z'), 'edge-1')
  assert.equal(heartbeats.silenceOf('edge-1').milliseconds, 0)
})

test('time in which this process stood still is nobody’s silence', async () => {
  const clock = new FakeClock()
  const heartbeats = new Heartbeats(clock, TICK)
  heartbeats.hear(undefined, lease('1'), 'edge-1')
  await ticking(clock, heartbeats, 20)
  await clock.advance(seconds(3600))
  assert.equal(heartbeats.silenceOf('edge-1').milliseconds, 25_000)
  await ticking(clock, heartbeats, 20)
  assert.equal(heartbeats.silenceOf('edge-1').milliseconds, 45_000)
})
