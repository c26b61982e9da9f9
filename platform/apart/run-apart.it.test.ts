import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError } from '../lifecycle/index.ts'
import { systemClock as clock, seconds } from '../time/index.ts'
import { runApart } from './index.ts'

const module = new URL('./testing/calls.ts', import.meta.url)
const options = { clock, deadline: seconds(20) }

test('answers with what the function of the other process gives', async () => {
  const answer = await runApart(module, 'echo', { big: 2n ** 60n, bytes: new Uint8Array([0, 255]) }, options)
  assert.deepEqual(answer, { pid: true, input: { big: 2n ** 60n, bytes: new Uint8Array([0, 255]) } })
})

test('throws what the other process threw, in its class and with its fields', async () => {
  await assert.rejects(
    runApart(module, 'refuse', 'x', options),
    (error) => error instanceof ConfigError && error.code === 'TEST_REFUSED' && error.fields['line'] === 3,
  )
})

test('says that the process ended, or has no such function', async () => {
  await assert.rejects(runApart(module, 'die', undefined, options), { code: 'PLATFORM_APART_ENDED' })
  await assert.rejects(runApart(module, 'nothing', undefined, options), { code: 'PLATFORM_APART_NO_FUNCTION' })
})

test('ends a process that does not answer in time', async () => {
  await assert.rejects(runApart(module, 'hang', undefined, { clock, deadline: { milliseconds: 300 } }), {
    code: 'PLATFORM_DEADLINE',
  })
})

test('ends the process of a call that is given up', async () => {
  const stopping = new AbortController()
  const calling = runApart(module, 'hang', undefined, { ...options, signal: stopping.signal })
  stopping.abort(new Error('the module is stopping'))
  await assert.rejects(calling, { message: 'the module is stopping' })
})
