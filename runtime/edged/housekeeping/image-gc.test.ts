import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import { minutes } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { refusal } from '../testing/scripted-channel.ts'
import { createImageGc, type DiskUsage, diskUsage, type ImageGcOptions } from './image-gc.ts'
import { type ImageIn, RuntimeState } from './testing/runtime-state.ts'

const TOTAL = 1000

/** A disk of 1000 bytes with images of 10 each; what else is on it is `others`. */
function bench(options: Partial<ImageGcOptions> = {}) {
  const clock = new FakeClock()
  const state = new RuntimeState()
  const disk = { others: 0, isBroken: false }
  const wanted = { names: new Set<string>(), isKnown: true }
  const full: DiskUsage[] = []
  state.filesystems.push({ mountpoint: '/images' })
  const gc = createImageGc(
    {
      ...{ runtime: state.channel.runtime, clock, log: silentLogger },
      wanted: () => (wanted.isKnown ? wanted.names : undefined),
      onFull: (usage) => full.push(usage),
      measure: async (mountpoint) => {
        if (disk.isBroken) throw new Error('no such folder')
        const used = disk.others + state.images.reduce((sum, { bytes = 0 }) => sum + bytes, 0)
        return { mountpoint, totalBytes: TOTAL, freeBytes: TOTAL - used }
      },
    },
    options,
  )
  const { signal } = new AbortController()
  return {
    ...{ clock, state, disk, wanted, full, gc },
    add: (...images: readonly (string | ImageIn)[]) => {
      for (const image of images)
        state.images.push(typeof image === 'string' ? { id: image, tags: [`r.io/${image}:1`], bytes: 10 } : image)
    },
    run: () => gc.run(signal),
    left: () => state.images.map(({ id }) => id),
  }
}

test('from the high mark on images go until the disk is down to the low one, and no more than have to', async () => {
  const { add, run, left, clock, disk } = bench()
  add('a', 'b', 'c', 'd', 'e', 'f')
  await run()
  await clock.advance(minutes(2))
  disk.others = 789
  assert.deepEqual(await run(), { images: 0, bytes: 0 })
  disk.others = 790
  assert.deepEqual(await run(), { images: 5, bytes: 50 })
  assert.deepEqual(left(), ['f'])
})

test('the image that was of no use for the longest goes first', async () => {
  const { add, run, left, clock, disk, state } = bench()
  add('a', 'b', 'c')
  state.containers.push({ id: '1', pod: 'p', image: 'r.io/a:1' }, { id: '2', pod: 'p', image: 'r.io/b:1' })
  await run()
  for (const _end of ['of b', 'of a']) {
    await clock.advance(minutes(3))
    await run()
    state.containers.pop()
  }
  disk.others = 820
  await run()
  const removed = state.channel.calls.filter(({ method }) => method === 'RemoveImage')
  assert.deepEqual(
    removed.map(({ request }) => Object(request['image']).image),
    ['c', 'b', 'a'],
  )
  assert.deepEqual(left(), [])
})

test('what somebody uses or needs stays, whoever that is', async () => {
  const { add, run, left, clock, disk, state, wanted } = bench({ keep: ['r.io/kept:1'] })
  const digest = `sha256:${'0'.repeat(64)}`
  add('running', 'ended', 'foreign', 'wanted', 'kept', 'spare')
  add({ id: 'by-id', bytes: 10 }, { id: 'pinned', bytes: 10, isPinned: true })
  add({ id: 'hub', tags: ['docker.io/library/till:latest'], bytes: 10 })
  add({ id: 'by-digest', digests: [`r.io/x@${digest}`], bytes: 10 })
  add({ id: 'sandbox', tags: ['registry.k8s.io/pause:3.9'], bytes: 10 })
  state.containers.push(
    { id: '1', pod: 'p', image: 'r.io/running:1', state: 'RUNNING' },
    { id: '2', pod: 'p', image: 'r.io/ended:1' },
    { id: '3', pod: 'p', image: 'r.io/foreign:1', owner: 'somebody' },
    { id: '4', pod: 'p', image: 'by-id' },
  )
  for (const name of ['r.io/wanted:1', 'till', `r.io/x:9@${digest}`, 'NOT a name']) wanted.names.add(name)
  await run()
  await clock.advance(minutes(5))
  disk.others = 880
  assert.deepEqual(await run(), { images: 1, bytes: 10 })
  assert.equal(left().includes('spare'), false)
  assert.equal(left().length, 10)
})

test('an image that just came stays; when its time is over it may go', async () => {
  const { add, run, left, clock, disk } = bench()
  disk.others = 890
  add('a')
  await run()
  await clock.advance(minutes(1))
  await run()
  assert.deepEqual(left(), ['a'])
  await clock.advance(minutes(1))
  await run()
  assert.deepEqual(left(), [])
})

test('that nothing more can be freed is told once, and again after it was better', async () => {
  const { run, disk, full } = bench()
  disk.others = 900
  await run()
  await run()
  assert.deepEqual(full, [{ mountpoint: '/images', totalBytes: 1000, freeBytes: 100 }])
  disk.others = 10
  await run()
  disk.others = 900
  await run()
  assert.equal(full.length, 2)
})

test('a runtime that frees nothing at once does not lose all its images for it', async () => {
  const { add, run, left, clock, disk, state } = bench()
  add({ id: 'a', bytes: 200 }, { id: 'b', bytes: 200 }, { id: 'c', bytes: 200 })
  await run()
  await clock.advance(minutes(2))
  disk.others = 300
  const usual = state.scripts['RemoveImage']
  state.scripts['RemoveImage'] = (request, signal) => {
    disk.others += 200
    return usual?.(request, signal) ?? {}
  }
  await run()
  assert.deepEqual(left(), ['b', 'c'])
})

test('one that cannot be removed does not keep the others; a runtime that is away ends the pass', async () => {
  const { add, run, left, clock, disk, state } = bench()
  add('a', 'b', 'c')
  await run()
  await clock.advance(minutes(2))
  disk.others = 880
  const usual = state.scripts['RemoveImage']
  state.scripts['RemoveImage'] = (request, signal) => {
    if (Object(request['image']).image === 'a') throw refusal('image is in use')
    return usual?.(request, signal) ?? {}
  }
  assert.deepEqual(await run(), { images: 2, bytes: 20 })
  assert.deepEqual(left(), ['a'])
  state.scripts['RemoveImage'] = () => {
    throw new UnavailableError('The container runtime does not answer', { code: 'EDGED_RUNTIME_UNAVAILABLE' })
  }
  await assert.rejects(run(), UnavailableError)
})

test('nothing goes while nobody knows what pods need, or how full the disk is', async () => {
  const { add, run, left, clock, disk, wanted, gc } = bench()
  add('a')
  await run()
  await clock.advance(minutes(2))
  disk.others = 900
  wanted.isKnown = false
  await run()
  await gc.removeUnused(new AbortController().signal)
  wanted.isKnown = true
  disk.isBroken = true
  await run()
  assert.deepEqual(left(), ['a'])
})

test('a node that is short of disk may have all unused images removed', async () => {
  const { add, run, left, clock, state, gc } = bench()
  add('a', 'b', 'c')
  state.containers.push({ id: '1', pod: 'p', image: 'r.io/b:1' })
  await run()
  await clock.advance(minutes(2))
  add('young')
  assert.deepEqual(await gc.removeUnused(new AbortController().signal), { images: 2, bytes: 20 })
  assert.deepEqual(left(), ['b', 'young'])
})

test('marks that contradict each other are refused; a real disk has a size', async () => {
  assert.throws(() => bench({ highPercent: 70 }), RangeError)
  const { totalBytes, freeBytes } = await diskUsage('/')
  assert.ok(totalBytes > freeBytes && freeBytes >= 0)
})
