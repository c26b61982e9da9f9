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
  await clock.advance(seconds(1))
  const first = await stored()
  assert.equal(first.split('.')[0], current.caHash)
  for (let hours = 0; hours < 72; hours++) {
    // The API is away for an hour each day, and one call in a while fails.
    kubernetes.fail('secrets kubeedge/tokensecret', 503, hours % 24 === 11 ? 8 : 1)
    await clock.advance(minutes(60))
    assert.ok((await remaining()) > minutes(11 * 60).milliseconds, `after ${hours} hours`)
  }
  assert.notEqual(await stored(), first)
  await current.tokens.rotate()
  await clock.advance(seconds(2))
  assert.ok((await remaining()) > minutes(23 * 60).milliseconds)
})
