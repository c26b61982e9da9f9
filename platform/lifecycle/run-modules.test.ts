import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryLogger } from '../log/testing/index.ts'
import { ms, seconds } from '../time/index.ts'
import { FakeClock } from '../time/testing/index.ts'
import { UnavailableError } from './errors.ts'
import type { Scope } from './module.ts'
import { createModuleBoard } from './module-states.ts'
import { type RunOptions, runModules } from './run-modules.ts'
import type { ModuleEntry, RestartPolicy } from './supervisor.ts'

const policy: RestartPolicy = { limit: 2, first: seconds(1), most: seconds(8), healthyAfter: seconds(60) }

test('starts in order, each awaited, and stops in reverse', async () => {
  const { seen, entry, run } = setup()
  const running = await run([entry('store'), entry('twin'), entry('hub')])
  assert.deepEqual(seen, ['+store', '+twin', '+hub'])
  assert.deepEqual(
    running.states().map(({ state }) => state),
    ['ready', 'ready', 'ready'],
  )
  assert.ok(running.ready())
  assert.equal(await running.stop(), undefined)
  assert.equal(await running.ended, undefined)
  assert.deepEqual(seen.slice(3), ['-hub', '-twin', '-store'])
  assert.deepEqual(
    running.states().map(({ state }) => state),
    ['stopped', 'stopped', 'stopped'],
  )
})

test('a failed start stops those started and throws the reason', async () => {
  const { seen, entry, run, board } = setup()
  const reason = new Error('port taken')
  const bad = entry('bad', async (scope) => {
    scope.defer(() => void seen.push('-half of bad'))
    throw reason
  })
  await assert.rejects(run([entry('store'), bad, entry('never')]), reason)
  assert.deepEqual(seen, ['+store', '+bad', '-half of bad', '-bad', '-store'])
  assert.deepEqual(
    board.states().map(({ name, state, detail }) => [name, state, detail]),
    [
      ['store', 'stopped', undefined],
      ['bad', 'failed', 'port taken'],
      ['never', 'starting', undefined],
    ],
  )
})

test('a start that hangs is ended by its deadline and says what it waited for', async () => {
  const { clock, entry, run } = setup()
  const hanging = entry('hub', (scope) => {
    scope.pending('the other side')
    return new Promise(() => undefined)
  })
  const starting = assert.rejects(run([{ ...hanging, startWithin: seconds(5) }]), (error) => {
    assert.ok(error instanceof UnavailableError)
    assert.deepEqual(error.fields, { module: 'hub', pending: 'the other side' })
    return true
  })
  await clock.advance(seconds(5))
  await starting
})

test('while one starts, the board says what the later ones wait for', async () => {
  const { board, clock, entry, run, release } = setup()
  const gate = release()
  const starting = run([entry('store', () => gate.promise), entry('twin')])
  await clock.advance(ms(0))
  assert.equal(board.ready(), false)
  assert.deepEqual(
    board.states().map(({ name, state, pending }) => ({ name, state, pending })),
    [
      { name: 'store', state: 'starting', pending: undefined },
      { name: 'twin', state: 'starting', pending: 'start of store' },
    ],
  )
  gate.resolve()
  const running = await starting
  assert.deepEqual(
    board.states().map(({ pending }) => pending),
    [undefined, undefined],
  )
  await running.stop()
})

test('aborting during the start stops what was started', async () => {
  const { seen, clock, entry, run } = setup()
  const controller = new AbortController()
  const starting = run([entry('store'), entry('hub', () => new Promise(() => undefined))], {
    signal: controller.signal,
  })
  await clock.advance(ms(0))
  const reason = new Error('SIGTERM')
  controller.abort(reason)
  await assert.rejects(starting, reason)
  assert.deepEqual(seen, ['+store', '+hub', '-hub', '-store'])
})

test('aborting later ends the run without a failure', async () => {
  const { seen, entry, run } = setup()
  const controller = new AbortController()
  const running = await run([entry('store')], { signal: controller.signal })
  controller.abort(new Error('SIGTERM'))
  assert.equal(await running.ended, undefined)
  assert.deepEqual(seen, ['+store', '-store'])
})

test('a crash closes the scope and starts the module again after the back-off', async () => {
  const { seen, clock, entry, run, crash } = setup()
  const running = await run([entry('store'), entry('twin')])
  crash('twin', new Error('boom'))
  await clock.advance(ms(499))
  assert.deepEqual(seen, ['+store', '+twin', '-twin'])
  const [, state] = running.states()
  assert.equal(state?.state, 'restarting')
  assert.equal(state?.detail, 'boom')
  assert.match(state?.pending ?? '', /^restart in \d+ ms$/)
  assert.equal(running.ready(), false)
  await clock.advance(ms(501))
  assert.deepEqual(seen.slice(3), ['+twin'])
  assert.ok(running.ready())
  await running.stop()
})

test('a module that stays healthy gets all its restarts back', async () => {
  const { clock, entry, run, crash } = setup()
  const running = await run([entry('twin')])
  for (let round = 0; round < 5; round++) {
    crash('twin', new Error('boom'))
    await clock.advance(seconds(1))
    assert.ok(running.ready(), `round ${round}`)
    await clock.advance(seconds(60))
  }
  await running.stop()
})

test('past the limit the whole run ends with the reason', async () => {
  const { seen, clock, entry, run, crash } = setup()
  const last = new Error('third')
  const running = await run([entry('store'), entry('twin')])
  crash('twin', new Error('first'))
  await clock.advance(seconds(1))
  crash('twin', new Error('second'))
  await clock.advance(seconds(2))
  crash('twin', last)
  await clock.advance(ms(0))
  const end = await running.ended
  assert.equal(end?.code, 'PLATFORM_MODULE_FAILED')
  assert.deepEqual(end?.fields, { module: 'twin' })
  assert.equal(end?.cause, last)
  assert.equal(running.states().find(({ name }) => name === 'twin')?.state, 'failed')
  assert.deepEqual(seen.slice(-2), ['-twin', '-store'])
})

test('a restart that fails counts as a crash', async () => {
  const { clock, entry, run, crash } = setup()
  let starts = 0
  const flaky = entry('twin', async () => {
    if (++starts > 1) throw new Error(`start ${starts}`)
  })
  const running = await run([flaky])
  crash('twin', new Error('boom'))
  await clock.advance(seconds(3))
  const end = await running.ended
  assert.equal(String(end?.cause), 'Error: start 3')
  assert.equal(starts, 3)
})

test('a crash before the start settles is the reason of the failed start', async () => {
  const { entry, run } = setup()
  const hasty = entry('twin', (scope) => {
    scope.run(() => Promise.reject(new Error('boom')))
    return new Promise(() => undefined)
  })
  await assert.rejects(run([hasty]), { message: 'boom' })
})

test('stopping during a restart leaves nothing running', async () => {
  const { seen, clock, entry, run, crash } = setup()
  const running = await run([entry('twin')])
  crash('twin', new Error('boom'))
  await clock.advance(ms(100))
  await running.stop()
  await clock.advance(seconds(100))
  assert.deepEqual(seen, ['+twin', '-twin'])
  assert.equal(clock.waiting, 0)
})

test('a module that does not stop is left behind at its deadline, and the end names it', async () => {
  const { seen, clock, entry, run } = setup()
  const stuck = entry('stuck', async (scope) => scope.defer(() => new Promise(() => undefined)))
  const running = await run([entry('store'), { ...stuck, stopWithin: seconds(3) }])
  const stopping = running.stop()
  await clock.advance(seconds(3))
  const end = await stopping
  assert.equal(end?.code, 'PLATFORM_STOP_UNCLEAN')
  assert.deepEqual(end?.fields, { modules: ['stuck'] })
  assert.equal(seen.at(-1), '-store')
})

test('all modules together do not outlast the grace', async () => {
  const { clock, entry, run } = setup()
  const stuck = (name: string) => entry(name, async (scope) => scope.defer(() => new Promise(() => undefined)))
  const running = await run([stuck('a'), stuck('b'), stuck('c')], { grace: seconds(15) })
  let stopped = false
  void running.stop().then(() => {
    stopped = true
  })
  await clock.advance(ms(15_200))
  assert.ok(stopped)
})

test('two modules of one name are refused', async () => {
  const { entry, run } = setup()
  await assert.rejects(run([entry('twin'), entry('twin')]), { code: 'PLATFORM_MODULE_TWICE' })
})

function setup() {
  const clock = new FakeClock()
  const log = memoryLogger()
  const board = createModuleBoard(clock)
  const random = { next: () => 0.5, bytes: (count: number) => new Uint8Array(count), uuid: () => '' }
  const seen: string[] = []
  const crashes = new Map<string, (error: Error) => void>()
  const entry = (name: string, start: (scope: Scope) => Promise<void> = async () => undefined): ModuleEntry => ({
    restart: policy,
    module: {
      name,
      async start(scope) {
        seen.push(`+${name}`)
        scope.defer(() => void seen.push(`-${name}`))
        scope.run(async (signal) => {
          await new Promise((resolve, reject) => {
            crashes.set(name, reject)
            signal.addEventListener('abort', resolve)
          })
        })
        await start(scope)
      },
    },
  })
  const run = (modules: readonly ModuleEntry[], options: Partial<RunOptions> = {}) =>
    runModules(modules, { clock, random, log, board, grace: seconds(30), ...options })
  const crash = (name: string, error: Error) => crashes.get(name)?.(error)
  const release = () => Promise.withResolvers<void>()
  return { clock, log, board, seen, entry, run, crash, release }
}
