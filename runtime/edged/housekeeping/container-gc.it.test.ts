import assert from 'node:assert/strict'
import { mkdir, readdir, symlink, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import { minutes } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { Places } from '../places.ts'
import { refusal } from '../testing/scripted-channel.ts'
import { type ContainerGcOptions, createContainerGc } from './container-gc.ts'
import { OWNER, RuntimeState } from './testing/runtime-state.ts'

function bench(options: Partial<ContainerGcOptions> = {}) {
  const folder = temporaryFolder()
  const clock = new FakeClock()
  const places = new Places(join(folder, 'edged'), join(folder, 'logs'))
  const state = new RuntimeState()
  const living = new Set<string>()
  let isKnown = true
  const gc = createContainerGc(
    {
      ...{ runtime: state.channel.runtime, owner: OWNER, places, clock, log: silentLogger },
      pods: () => (isKnown ? living : undefined),
    },
    options,
  )
  const write = async (path: string) => {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, 'x')
    return path
  }
  /** Folders are as old as the virtual time wants them. */
  const logFolder = async (name: string, ageMs = 3_600_000) => {
    const path = join(places.logs, name)
    await write(join(path, 'app', '0.log'))
    const time = new Date(clock.now() - ageMs)
    await utimes(path, time, time)
  }
  return {
    ...{ clock, places, state, living, gc, write, logFolder },
    run: () => gc.run(new AbortController().signal),
    at: (age: number) => clock.now() - minutes(age).milliseconds,
    forgetPods: () => {
      isKnown = false
    },
  }
}

test('of a pod the newest ended container of each name stays, of a pod that is gone none', async () => {
  const { state, living, run, at } = bench()
  living.add('here')
  state.containers.push(
    { id: 'app-1', pod: 'here', createdAt: at(30) },
    { id: 'app-2', pod: 'here', createdAt: at(20) },
    { id: 'app-3', pod: 'here', createdAt: at(10), state: 'RUNNING' },
    { id: 'init-1', pod: 'here', name: 'init', createdAt: at(40) },
    { id: 'gone-1', pod: 'gone', createdAt: at(30) },
    { id: 'gone-2', pod: 'gone', createdAt: at(30), state: 'RUNNING' },
    { id: 'gone-3', pod: 'gone', name: 'young', createdAt: at(0.5) },
    { id: 'foreign', pod: 'other', createdAt: at(90), owner: 'somebody' },
  )
  assert.deepEqual(await run(), { containers: 2, sandboxes: 0, logFolders: 0 })
  assert.deepEqual(state.ids, ['app-2', 'app-3', 'init-1', 'gone-2', 'gone-3', 'foreign'])
})

test('beyond what is kept in all, those that a newer one followed go first, then the oldest', async () => {
  const { state, living, run, at } = bench({ keepInAll: 2 })
  for (const pod of ['a', 'b', 'c', 'd']) living.add(pod)
  state.containers.push(
    { id: 'oldest', pod: 'a', createdAt: at(40) },
    { id: 'old', pod: 'b', createdAt: at(30) },
    { id: 'new', pod: 'c', createdAt: at(20) },
    { id: 'followed', pod: 'd', createdAt: at(10) },
    { id: 'follower', pod: 'd', createdAt: at(5), state: 'RUNNING' },
  )
  await run()
  assert.deepEqual(state.ids, ['old', 'new', 'follower'])
})

test('with a container its logs go, and no others', async () => {
  const { state, living, run, at, write, places } = bench()
  living.add('u')
  const folder = join(places.logs, 'shop_till_u', 'app')
  for (const name of ['0.log', '0.log.20260101-120000', '0.log.20251231-120000.gz', '0.log.20260101-120000.gz.tmp'])
    await write(join(folder, name))
  for (const name of ['1.log', '0.log.mine', '10.log']) await write(join(folder, name))
  const outside = await write(join(places.pods, 'precious'))
  state.containers.push(
    { id: 'a', pod: 'u', createdAt: at(30), logPath: join(folder, '0.log') },
    { id: 'b', pod: 'u', createdAt: at(20), logPath: join(folder, '1.log') },
    { id: 'c', pod: 'u', createdAt: at(40), logPath: join(folder, '1.log') },
    { id: 'd', pod: 'u', createdAt: at(40), logPath: `${places.logs}/../edged/pods/precious` },
    { id: 'e', pod: 'u', createdAt: at(40), logPath: outside },
  )
  assert.equal((await run()).containers, 4)
  assert.deepEqual((await readdir(folder)).sort(), ['0.log.mine', '1.log', '10.log'])
  assert.deepEqual(await readdir(places.pods), ['precious'])
})

test('sandboxes that have ended and hold nothing are stopped once more and removed; the newest of a pod stays', async () => {
  const { state, living, run, at } = bench()
  living.add('here')
  state.sandboxes.push(
    { id: 'here-1', pod: 'here', createdAt: at(30) },
    { id: 'here-2', pod: 'here', createdAt: at(20) },
    { id: 'gone-1', pod: 'gone', createdAt: at(20) },
    { id: 'gone-2', pod: 'gone', createdAt: at(20), isReady: true },
    { id: 'gone-3', pod: 'gone', createdAt: at(0.5) },
    { id: 'full', pod: 'full', createdAt: at(20) },
    { id: 'foreign', pod: 'gone', createdAt: at(20), owner: 'somebody' },
  )
  state.containers.push({ id: 'runs', pod: 'full', sandbox: 'full', state: 'RUNNING', createdAt: at(20) })
  await run()
  assert.deepEqual(state.ids, ['runs', 'here-2', 'gone-2', 'gone-3', 'full', 'foreign'])
  const ends = state.channel.calls.map(({ method }) => method).filter((method) => method.endsWith('PodSandbox'))
  assert.deepEqual(ends.slice(1), ['StopPodSandbox', 'RemovePodSandbox', 'StopPodSandbox', 'RemovePodSandbox'])
})

test('log folders of pods that are gone go; those of pods, of others’ pods and what is none stay', async () => {
  const { state, living, run, logFolder, places, at, write } = bench()
  living.add('here')
  state.containers.push({ id: 'runs', pod: 'leaving', state: 'RUNNING', createdAt: at(9) })
  state.sandboxes.push({ id: 'foreign', pod: 'theirs', isReady: true, createdAt: at(9), owner: 'somebody' })
  for (const uid of ['here', 'leaving', 'theirs', 'gone']) await logFolder(`shop_till_${uid}`)
  await logFolder('shop_till_young', 1000)
  await logFolder('lost+found')
  const elsewhere = await write(join(places.pods, 'x'))
  await symlink(dirname(elsewhere), join(places.logs, 'shop_till_link'))
  assert.equal((await run()).logFolders, 1)
  assert.deepEqual((await readdir(places.logs)).sort(), [
    ...['lost+found', 'shop_till_here', 'shop_till_leaving', 'shop_till_link', 'shop_till_theirs', 'shop_till_young'],
  ])
  assert.deepEqual(await readdir(places.pods), ['x'])
})

test('while nobody knows which pods are to be, nothing is removed', async () => {
  const { state, run, logFolder, at, forgetPods, places } = bench()
  state.containers.push({ id: 'a', pod: 'gone', createdAt: at(30) })
  state.sandboxes.push({ id: 's', pod: 'gone', createdAt: at(30) })
  await logFolder('shop_till_gone')
  forgetPods()
  assert.deepEqual(await run(), { containers: 0, sandboxes: 0, logFolders: 0 })
  assert.deepEqual([state.ids, await readdir(places.logs)], [['a', 's'], ['shop_till_gone']])
})

test('what cannot be removed keeps nothing else, and is tried again; a runtime that is away ends the pass', async () => {
  const { state, run, at } = bench()
  state.containers.push(
    { id: 'stuck', pod: 'p', sandbox: 'held', createdAt: at(30) },
    { id: 'b', pod: 'q', createdAt: at(30) },
  )
  state.sandboxes.push({ id: 'held', pod: 'p', createdAt: at(30) })
  const usual = state.scripts['RemoveContainer']
  assert.ok(usual)
  state.scripts['RemoveContainer'] = (request, signal) => {
    if (request['containerId'] === 'stuck') throw refusal('device or resource busy')
    return usual(request, signal)
  }
  assert.deepEqual(await run(), { containers: 1, sandboxes: 0, logFolders: 0 })
  assert.deepEqual(state.ids, ['stuck', 'held'])
  state.scripts['RemoveContainer'] = () => {
    throw new UnavailableError('The container runtime does not answer', { code: 'EDGED_RUNTIME_UNAVAILABLE' })
  }
  await assert.rejects(run(), { code: 'EDGED_RUNTIME_UNAVAILABLE' })
  state.scripts['RemoveContainer'] = usual
  assert.deepEqual(await run(), { containers: 1, sandboxes: 1, logFolders: 0 })
  assert.deepEqual(state.ids, [])
})

test('a pass ends where it is told to', async () => {
  const { state, gc, at } = bench()
  state.containers.push({ id: 'a', pod: 'p', createdAt: at(30) }, { id: 'b', pod: 'q', createdAt: at(30) })
  const stop = new AbortController()
  const usual = state.scripts['RemoveContainer']
  state.scripts['RemoveContainer'] = (request, signal) => {
    stop.abort(new Error('stopping'))
    return usual?.(request, signal) ?? {}
  }
  await assert.rejects(gc.run(stop.signal), /stopping/)
  assert.deepEqual(state.ids, ['b'])
})
