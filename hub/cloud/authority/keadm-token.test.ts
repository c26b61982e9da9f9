import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createScope } from '../../../platform/lifecycle/index.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import { minutes, seconds, systemClock } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { SECRETS } from '../kubernetes/resources.ts'
import { FakeKubernetes } from '../testing/fake-kubernetes.ts'
import { countingRandom } from '../testing/harness.ts'
import { createKeadmTokenModule } from './keadm-token.ts'
import { openAuthority } from './open-authority.ts'

test('keadm finds a token that lasts twelve hours at least, also after failures and after a change of the key', async () => {
  const kubernetes = new FakeKubernetes()
  const clock = new FakeClock()
  const random = countingRandom()
  const never = new AbortController().signal
  const current = await openAuthority({ names: ['a'], certificateDays: 1 }, { kubernetes, clock, random }, never)
  await using scope = createScope('keadm', {
    clock: systemClock,
    log: silentLogger,
    deadline: seconds(5),
    onCrash: (error) => {
      throw error
    },
  })
  await createKeadmTokenModule({ authority: { current }, kubernetes, clock, random, log: silentLogger }).start(scope)
  const stored = async () => {
    const secret = await kubernetes.get(SECRETS, { namespace: 'kubeedge', name: 'tokensecret' })
    return Buffer.from(secret?.data?.['tokendata'] ?? '', 'base64').toString()
  }
  const remaining = async () => {
    const verdict = await current.tokens.verify(await stored())
    return verdict.ok ? verdict.claims.expires * 1000 - clock.now() : 0
  }
  await asleep(clock)
  const first = await stored()
  assert.equal(first.split('.')[0], current.caHash)
  for (let hours = 0; hours < 72; hours++) {
    // Each time the API takes it at the sixth attempt only.
    if (hours % 12 === 6) kubernetes.fail('PUT secrets kubeedge/tokensecret', 503, 5)
    for (let tenMinutes = 0; tenMinutes < 6; tenMinutes++) {
      await clock.advance(minutes(10))
      await asleep(clock)
    }
    assert.ok((await remaining()) > minutes(11 * 60).milliseconds, `after ${hours} hours`)
  }
  assert.notEqual(await stored(), first)
  await current.tokens.rotate()
  // Failures that nobody has met yet.
  for (let attempt = 0; attempt < 12; attempt++) {
    await asleep(clock)
    await clock.advance(minutes(5))
  }
  await asleep(clock)
  assert.ok((await remaining()) > minutes(22 * 60).milliseconds)
})

/** Signatures are made on other threads: time stands still until the module waits for it again. */
async function asleep(clock: FakeClock): Promise<void> {
  for (let quiet = 0; quiet < 3; ) {
    await new Promise((resolve) => setImmediate(resolve))
    quiet = clock.waiting > 0 ? quiet + 1 : 0
  }
}
