import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLocalBus } from '../../../platform/bus/index.ts'
import { createScope, UnavailableError } from '../../../platform/lifecycle/index.ts'
import { silentLogger as log } from '../../../platform/log/index.ts'
import { type Duration, minutes, seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import type { LinkDialer } from '../../link/index.ts'
import { createLinkPair } from '../../link/testing/index.ts'
import { countingRandom } from '../testing/edge-bench.ts'
import { keepConnected } from './keep-connected.ts'

/** Runs on a dialer for ten minutes; answers when each attempt began, in seconds. */
async function attemptsOf(
  dial: (clock: FakeClock, signal: AbortSignal) => ReturnType<LinkDialer['dial']>,
  options: { readonly longestPause?: Duration } = {},
) {
  const clock = new FakeClock()
  const attempts: number[] = []
  const dialer: LinkDialer = {
    dial(_headers, signal) {
      attempts.push(clock.monotonic() / 1000)
      return dial(clock, signal)
    },
  }
  const scope = createScope('EdgeHub', { clock, log, deadline: seconds(5), onCrash: assert.ifError })
  const ports = { dialer, bus: createLocalBus(clock, log), clock, random: countingRandom(), log, ...options }
  const serve = async () => {
    await clock.sleep(seconds(6), scope.signal).catch(() => undefined)
    return 'the cable'
  }
  scope.run((signal) => keepConnected({ ...ports, headers: {}, scope }, serve, signal))
  await clock.advance(minutes(10))
  await scope.close(seconds(5))
  return attempts
}

test('a cloud that lets each attempt hang until it fails is dialled less and less often', async () => {
  const attempts = await attemptsOf(async (clock, signal) => {
    await clock.sleep(seconds(10), signal)
    throw new UnavailableError('the connection was not made in time', { code: 'HUB_LINK_REFUSED' })
  })
  const waits = attempts.slice(1).map((at, index) => at - (attempts[index] ?? 0) - 10)
  assert.ok(Math.max(...waits) >= 15, `${waits}`)
})

test('no pause is longer than is configured', async () => {
  const refuse = async () => {
    throw new UnavailableError('nobody listens', { code: 'HUB_LINK_REFUSED' })
  }
  const attempts = await attemptsOf(refuse, { longestPause: seconds(2) })
  const pauses = attempts.slice(1).map((at, index) => at - (attempts[index] ?? 0))
  assert.ok(pauses.length > 300 && Math.max(...pauses) <= 2, `${pauses}`)
})

test('after a link that lasted the next wait is a short one, however often', async () => {
  const attempts = await attemptsOf(async (clock) => createLinkPair({ clock }).edge)
  const waits = attempts.slice(1).map((at, index) => at - (attempts[index] ?? 0) - 6)
  assert.ok(waits.length > 50 && Math.max(...waits) <= 0.5, `${waits}`)
})
