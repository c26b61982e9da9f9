import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minutes, seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import type { ObjectKey, ResourceType } from '../kubernetes/index.ts'
import { FakeKubernetes } from '../testing/fake-kubernetes.ts'
import { countingRandom } from '../testing/harness.ts'
import { JoinTokens } from './join-tokens.ts'
import { TokenKey } from './token-key.ts'

/** Reads that begin while it is held wait for their release, and take notice of their signal. */
class SlowKubernetes extends FakeKubernetes {
  #held: PromiseWithResolvers<void> | undefined

  hold(): () => void {
    const held = Promise.withResolvers<void>()
    this.#held = held
    return () => held.resolve()
  }

  /** Later reads do not wait. */
  pass(): void {
    this.#held = undefined
  }

  override async get<T extends Parameters<ResourceType['accepts']>[0]>(
    type: ResourceType<T>,
    at: ObjectKey,
    signal?: AbortSignal,
  ): Promise<T | undefined> {
    const held = this.#held?.promise
    const answer = await super.get(type, at)
    await held
    signal?.throwIfAborted()
    return answer
  }
}

function ports() {
  return { kubernetes: new SlowKubernetes(), clock: new FakeClock(), random: countingRandom() }
}

test('who leaves while the key is read takes nobody along who waits for the same', async () => {
  const given = ports()
  const key = new TokenKey(given)
  await key.current()
  await given.clock.advance(seconds(2))
  const release = given.kubernetes.hold()
  const leaving = new AbortController()
  const first = key.current(leaving.signal)
  const second = key.current(new AbortController().signal)
  leaving.abort(new Error('the client left'))
  await assert.rejects(first, /the client left/)
  release()
  assert.equal((await second).length, 64)
})

test('a token is good for a year at the most', async () => {
  const tokens = new JoinTokens(ports(), 'ab'.repeat(32), () => ({}))
  await assert.rejects(tokens.create({ ttl: minutes(365 * 24 * 60 + 1) }), { code: 'HUB_TOKEN_TTL' })
  assert.equal((await tokens.verify(await tokens.create({ ttl: minutes(365 * 24 * 60) }))).ok, true)
})

test('a key that was being read while it was changed does not come back', async () => {
  const given = ports()
  const tokens = new JoinTokens(given, 'ab'.repeat(32), () => ({}))
  const old = await tokens.create({ ttl: minutes(5) })
  await given.clock.advance(seconds(2))
  const release = given.kubernetes.hold()
  const late = tokens.verify(old)
  given.kubernetes.pass()
  await tokens.rotate()
  release()
  assert.equal((await late).ok, false)
  const fresh = await tokens.create({ ttl: minutes(5) })
  await given.clock.advance(seconds(2))
  assert.equal((await tokens.verify(fresh)).ok, true)
})
