import assert from 'node:assert/strict'
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import { seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { refusal } from '../testing/scripted-channel.ts'
import { createLogRotation, type LogRotationOptions } from './log-rotation.ts'
import { OWNER, RuntimeState } from './testing/runtime-state.ts'

/** 2026-01-01T00:00:00Z */
const START = 1_767_225_600_000

async function bench(options: Partial<LogRotationOptions> = {}) {
  const folder = join(temporaryFolder(), 'app')
  await mkdir(folder)
  const clock = new FakeClock(START)
  const state = new RuntimeState()
  const path = join(folder, '0.log')
  state.containers.push({ id: 'a', pod: 'u', state: 'RUNNING', logPath: path })
  /** As a runtime does: the file is made anew. */
  const reopens = () => writeFile(path, '', { flag: 'a', mode: 0o640 }).then(() => ({}))
  state.scripts['ReopenContainerLog'] = reopens
  const rotation = createLogRotation(
    { runtime: state.channel.runtime, owner: OWNER, clock, log: silentLogger },
    { maxBytes: 10, ...options },
  )
  const { signal } = new AbortController()
  return {
    ...{ folder, clock, state, path, reopens, rotation },
    run: () => rotation.run(signal),
    compress: () => rotation.compress(signal),
    names: async () => (await readdir(folder)).sort(),
    say: (text: string, name = '0.log') => writeFile(join(folder, name), text),
    read: async (name: string) => {
      const bytes = await readFile(join(folder, name))
      return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
    },
  }
}

test('a log that is too large begins anew, older ones are compressed, and the oldest go', async () => {
  const { run, compress, names, say, read, clock, state } = await bench({ maxFiles: 4 })
  await say('0123456789')
  await run()
  assert.deepEqual(await names(), ['0.log'])
  for (let round = 1; round <= 5; round++) {
    await say(`what round ${round} said`)
    await run()
    await compress()
    await clock.advance(seconds(10))
  }
  assert.deepEqual(await names(), [
    '0.log',
    '0.log.20260101-000020.gz',
    '0.log.20260101-000030.gz',
    '0.log.20260101-000040',
  ])
  assert.equal(await read('0.log'), '')
  assert.equal(await read('0.log.20260101-000020.gz'), 'what round 3 said')
  assert.equal(await read('0.log.20260101-000040'), 'what round 5 said')
  assert.equal(state.channel.countOf('ReopenContainerLog'), 5)
  assert.equal(state.channel.countOf('ContainerStatus'), 1)
})

test('a compressed log is for those who might read it before', async () => {
  const { run, compress, say, folder, path } = await bench()
  for (const stamp of ['20251231-000000', '20251231-000001']) {
    await say('older', `0.log.${stamp}`)
    await chmod(join(folder, `0.log.${stamp}`), 0o640)
  }
  await run()
  await compress()
  assert.equal((await stat(`${path}.20251231-000000.gz`)).mode & 0o777, 0o640)
})

test('only logs of containers that run here are touched', async () => {
  const { run, names, say, state } = await bench()
  const [a] = state.containers.splice(0)
  assert.ok(a)
  state.containers.push({ ...a, state: 'EXITED' }, { ...a, owner: 'somebody' })
  await say('much more than ten bytes')
  await run()
  assert.deepEqual(await names(), ['0.log'])
})

test('two files are enough: the log and the one before', async () => {
  const { run, compress, names, say, read, clock } = await bench({ maxFiles: 2 })
  for (const text of ['first long line', 'second long line']) {
    await say(text)
    await run()
    await compress()
    await clock.advance(seconds(1))
  }
  assert.deepEqual(await names(), ['0.log', '0.log.20260101-000001'])
  assert.equal(await read('0.log.20260101-000001'), 'second long line')
  await assert.rejects(bench({ maxFiles: 1 }), RangeError)
})

test('where the runtime does not open the log again it is put back, and nothing is lost', async () => {
  const { run, names, say, read, state, reopens } = await bench()
  await say('much more than ten bytes')
  state.scripts['ReopenContainerLog'] = () => {
    throw refusal('container is not running')
  }
  await run()
  assert.deepEqual(await names(), ['0.log'])
  // It made the new file and died then.
  state.scripts['ReopenContainerLog'] = async () => {
    await reopens()
    await say('new')
    throw new UnavailableError('The container runtime does not answer', { code: 'EDGED_RUNTIME_UNAVAILABLE' })
  }
  await assert.rejects(run(), UnavailableError)
  assert.deepEqual(await names(), ['0.log', '0.log.20260101-000000'])
  assert.deepEqual([await read('0.log'), await read('0.log.20260101-000000')], ['new', 'much more than ten bytes'])
})

test('a rotation that broke off after its first step is brought to its end', async () => {
  const { run, names, say, folder } = await bench()
  await say('the runtime still writes here', '0.log.20251231-235959')
  await rm(join(folder, '0.log'), { force: true })
  await run()
  assert.deepEqual(await names(), ['0.log', '0.log.20251231-235959'])
})

test('a compression that broke off is begun again, or its rest removed', async () => {
  const { run, compress, names, say, read } = await bench()
  await say('', '0.log')
  await say('older', '0.log.20251230-000000')
  await say('half', '0.log.20251230-000000.gz.tmp')
  await say('whole already', '0.log.20251231-000000')
  await say('not read again', '0.log.20251231-000000.gz')
  await say('newest', '0.log.20251231-120000')
  await run()
  await compress()
  assert.deepEqual(await names(), [
    ...['0.log', '0.log.20251230-000000.gz', '0.log.20251231-000000.gz', '0.log.20251231-120000'],
  ])
  assert.equal(await read('0.log.20251230-000000.gz'), 'older')
})

test('a clock that is set back changes neither order nor files', async () => {
  const { run, names, say, read, clock } = await bench()
  await say('before the jump')
  await run()
  clock.jump(seconds(-3600))
  await say('after the jump')
  await run()
  assert.deepEqual(await names(), ['0.log', '0.log.20260101-000000', '0.log.20260101-000001'])
  assert.equal(await read('0.log.20260101-000001'), 'after the jump')
})

test('compression takes its time, and ends where it is told to with nothing half done', async () => {
  const { rotation, run, names, say, read, clock, compress } = await bench({ bytesPerSecond: 1024 * 1024 })
  const text = 'x'.repeat(1024 * 1024)
  await say(text, '0.log.20251230-000000')
  await say('newest', '0.log.20251231-000000')
  await say('')
  await run()
  const stop = new AbortController()
  const begun = rotation.compress(stop.signal)
  while (clock.waiting === 0) await new Promise((resolve) => setImmediate(resolve))
  assert.ok((await names()).includes('0.log.20251230-000000.gz.tmp'))
  // Meanwhile others are rotated.
  await say('much more than ten bytes')
  await run()
  stop.abort(new Error('stopping'))
  await assert.rejects(begun, /stopping|abort/)
  assert.deepEqual(await names(), [
    ...['0.log', '0.log.20251230-000000', '0.log.20251231-000000', '0.log.20260101-000000'],
  ])
  let isDone = false
  const second = compress().then(() => {
    isDone = true
  })
  const before = clock.now()
  while (!isDone) await clock.advance(seconds(1))
  await second
  assert.ok(clock.now() - before >= 1000)
  assert.equal(await read('0.log.20251230-000000.gz'), text)
})

test('one log that cannot be rotated does not keep the others from it', async () => {
  const { run, names, say, state, folder } = await bench()
  const usual = state.scripts['ReopenContainerLog']
  await writeFile(join(folder, '..', 'file'), '')
  state.containers.unshift({ id: 'c', pod: 'u', state: 'RUNNING', logPath: join(folder, '..', 'file', '0.log') })
  state.scripts['ReopenContainerLog'] = (request, signal) => {
    if (request['containerId'] === 'c') throw refusal('no such folder')
    return usual?.(request, signal) ?? {}
  }
  await say('much more than ten bytes')
  await run()
  assert.deepEqual(await names(), ['0.log', '0.log.20260101-000000'])
})

test('what a link leads to is rotated by whoever keeps it', async () => {
  const { run, names, folder, path, state } = await bench()
  await writeFile(join(folder, '..', 'kept'), 'much more than ten bytes')
  await symlink(join(folder, '..', 'kept'), path)
  await run()
  assert.deepEqual([await names(), state.channel.countOf('ReopenContainerLog')], [['0.log'], 0])
})
