import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minutes, ms } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { aPod } from '../testing/a-pod.ts'
import { PostStarts } from './post-starts.ts'

const HOOKED = { containers: [{ name: 'app', image: 'a', lifecycle: { postStart: { exec: { command: ['warm'] } } } }] }

/** Hooks that end when the test says so, and all that is told of them, in its order. */
function stage() {
  const clock = new FakeClock()
  const told: string[] = []
  const hook = Promise.withResolvers<void>()
  const seen: AbortSignal[] = []
  const starts = new PostStarts({
    hooks: {
      run: (_hook, _target, signal) => {
        seen.push(signal)
        return hook.promise
      },
    },
    events: { tell: (_pod, { reason, message, fieldPath }) => told.push(`${reason} ${fieldPath}: ${message}`) },
    clock,
    onDone: (uid) => told.push(`done ${uid}`),
    onFailed: ({ containerId }) => told.push(`failed ${containerId}`),
  })
  const life = new AbortController()
  const begin = (spec: object = HOOKED) => {
    const pod = aPod({ ...spec })
    const [container] = pod.spec.containers
    assert.ok(container)
    starts.run({ pod, container, containerId: 'c1', podIp: '' }, life.signal)
  }
  return { begin, clock, hook, life, seen, starts, told, settle: () => clock.advance(ms(0)) }
}

test('a hook runs until it is done, and then its pod is told', async () => {
  const { begin, hook, starts, settle, told } = stage()
  begin()
  assert.equal(starts.isRunning('c1'), true)
  await settle()
  assert.deepEqual(told, [])
  hook.resolve()
  await settle()
  assert.deepEqual([starts.isRunning('c1'), told], [false, ['done u-1']])
})

test('a container without a hook waits for nothing', async () => {
  const { begin, starts, settle, told } = stage()
  begin({})
  await settle()
  assert.deepEqual([starts.isRunning('c1'), told], [false, []])
})

test('a hook that failed is told in an Event, and before its end, so that its container ends', async () => {
  const { begin, hook, settle, told } = stage()
  begin()
  hook.reject(new Error('exit code 3'))
  await settle()
  assert.deepEqual(told, [
    'FailedPostStartHook spec.containers{app}: PostStartHook failed: exit code 3',
    'failed c1',
    'done u-1',
  ])
})

test('a hook that never ends has failed after ten minutes', async () => {
  const { begin, clock, seen, told } = stage()
  begin()
  await clock.advance(minutes(9))
  assert.deepEqual(told, [])
  await clock.advance(minutes(1))
  assert.match(told[0] ?? '', /^FailedPostStartHook /)
  assert.deepEqual([told.slice(1), seen[0]?.aborted], [['failed c1', 'done u-1'], true])
})

test('the hook of a container that has ended, or of a process that stops, is left and has not failed', async () => {
  for (const leave of [
    ({ starts }: ReturnType<typeof stage>) => starts.leave('c1'),
    ({ life }: ReturnType<typeof stage>) => life.abort(new Error('stop')),
  ]) {
    const at = stage()
    at.begin()
    at.starts.leave('another')
    leave(at)
    await at.settle()
    assert.deepEqual([at.told, at.seen[0]?.aborted, at.starts.isRunning('c1')], [['done u-1'], true, false])
  }
})
