import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import { minutes, ms, seconds } from '../../../platform/time/index.ts'
import { refusal } from '../testing/scripted-channel.ts'
import { ImagesBench, oneContainer, podOf, UNREACHABLE } from './testing/images-bench.ts'

const APP = 'spec.containers{app}'

test('an image that is not there is pulled once, and its pod is told when it may start', async () => {
  const bench = new ImagesBench()
  const pod = oneContainer('till', 'reg.local/till:1')
  bench.pull = async (reference) => {
    await bench.clock.sleep(ms(1250))
    bench.present.add(reference)
  }
  assert.equal(await bench.want(pod), 'pulling')
  assert.equal(await bench.want(pod), 'pulling')
  assert.deepEqual(bench.changed, [])
  await bench.advance(seconds(2))
  assert.deepEqual(bench.changed, ['uid-of-till'])
  assert.equal(await bench.want(pod), 'present')
  assert.deepEqual(bench.news(), [
    `till ${APP} Normal Pulling: Pulling image "reg.local/till:1"`,
    `till ${APP} Normal Pulled: Successfully pulled image "reg.local/till:1" in 1.25s (1.25s including waiting). Image size: 1234 bytes.`,
  ])
  // The next start of the container.
  assert.equal(await bench.want(pod), 'present')
  assert.deepEqual(bench.news(), [
    `till ${APP} Normal Pulled: Container image "reg.local/till:1" already present on machine`,
  ])
  assert.deepEqual(bench.pulls, ['reg.local/till:1'])
})

test('the policy follows from the tag where the pod has none', async () => {
  const bench = new ImagesBench()
  const digest = `sha256:${'0'.repeat(64)}`
  for (const image of ['till:latest', 'till:1', `till@${digest}`]) bench.present.add(image)
  assert.equal(await bench.want(oneContainer('a', 'till')), 'pulling')
  assert.equal(await bench.want(oneContainer('b', 'till:latest')), 'pulling')
  assert.equal(await bench.want(oneContainer('c', 'till:1')), 'present')
  assert.equal(await bench.want(oneContainer('d', `till@${digest}`)), 'present')
  assert.equal(await bench.want(oneContainer('e', 'till:latest', 'IfNotPresent')), 'present')
  assert.equal(await bench.want(oneContainer('f', 'till:1', 'Always')), 'pulling')
})

test('with Always each start has a pull of its own', async () => {
  const bench = new ImagesBench()
  const pod = oneContainer('till', 'till:1', 'Always')
  for (const start of [1, 2]) {
    assert.equal(await bench.want(pod), 'pulling')
    await bench.advance()
    assert.equal(await bench.want(pod), 'present')
    assert.equal(bench.pulls.length, start)
  }
})

test('Never pulls nothing, and finds an image that somebody brings', async () => {
  const bench = new ImagesBench()
  const pod = oneContainer('till', 'till:1', 'Never')
  const why = 'Container image "till:1" is not present with pull policy of Never'
  assert.equal(await bench.want(pod), `ErrImageNeverPull: ${why}`)
  assert.equal(await bench.want(pod), `ErrImageNeverPull: ${why}`)
  assert.deepEqual(bench.news(), [
    `till ${APP} Warning ErrImageNeverPull: ${why}`,
    `till ${APP} Warning Failed: Error: ErrImageNeverPull`,
  ])
  bench.present.add('till:1')
  await bench.advance(seconds(10))
  assert.deepEqual(bench.changed, ['uid-of-till'])
  assert.equal(await bench.want(pod), 'present')
  assert.deepEqual(bench.pulls, [])
})

test('a name that is none is told once, and a better one is taken', async () => {
  const bench = new ImagesBench()
  const why = `Failed to apply default image tag "Till:1": couldn't parse image name "Till:1": invalid reference format: repository name (library/Till) must be lowercase`
  for (const _again of [1, 2])
    assert.equal(await bench.want(oneContainer('till', 'Till:1')), `InvalidImageName: ${why}`)
  assert.deepEqual(bench.news(), [
    `till ${APP} Warning InspectFailed: ${why}`,
    `till ${APP} Warning Failed: Error: InvalidImageName`,
  ])
  assert.equal(await bench.want(oneContainer('till', 'till:1')), 'pulling')
})

test('a refused pull is shown with the registry’s words, tried again with longer waits, and forgotten once it works', async () => {
  const bench = new ImagesBench()
  const pod = oneContainer('till', 'till:1')
  const words = 'failed to pull and unpack image "till:1": till:1: not found'
  bench.pull = async () => {
    throw refusal(words)
  }
  await bench.want(pod)
  await bench.advance()
  assert.equal(await bench.want(pod), `ErrImagePull: ${words}`)
  assert.deepEqual(bench.news().slice(1), [
    `till ${APP} Warning Failed: Failed to pull image "till:1": ${words}`,
    `till ${APP} Warning Failed: Error: ErrImagePull`,
  ])
  await bench.advance(seconds(5))
  assert.equal(await bench.want(pod), `ImagePullBackOff: Back-off pulling image "till:1": ErrImagePull: ${words}`)
  assert.deepEqual(bench.news(), [
    `till ${APP} Normal BackOff: Back-off pulling image "till:1"`,
    `till ${APP} Warning Failed: Error: ImagePullBackOff`,
  ])
  // 10, 20, 40 ... 300, 300 s after one another.
  const tries = [5, 20, 40, 80, 160, 300, 300]
  for (const [done, wait] of tries.entries()) {
    await bench.advance(ms(wait * 1000 - 1))
    assert.equal(bench.pulls.length, done + 1)
    await bench.advance(ms(1))
    assert.equal(bench.pulls.length, done + 2)
  }
  bench.pull = async (reference) => void bench.present.add(reference)
  await bench.advance(minutes(5))
  assert.equal(await bench.want(pod), 'present')
  bench.present.clear()
  bench.pull = () => Promise.reject(refusal(words))
  await bench.want(pod)
  await bench.advance()
  const before = bench.pulls.length
  await bench.advance(seconds(10))
  assert.equal(bench.pulls.length, before + 1)
})

test('while the registry is away a present image starts, with a warning, and others of it do not wait', async () => {
  const bench = new ImagesBench()
  bench.present.add('reg.local/a:latest').add('reg.local/b:latest')
  bench.pull = async (reference) => {
    await bench.clock.sleep(seconds(30))
    throw refusal(UNREACHABLE(reference))
  }
  const pods = ['a', 'b', 'c'].map((name) => oneContainer(name, `reg.local/${name}`))
  for (const pod of pods) assert.equal(await bench.want(pod), 'pulling')
  await bench.advance(seconds(30))
  const [a, b, c] = pods
  assert.ok(a && b && c)
  assert.deepEqual([await bench.want(a), await bench.want(b)], ['present', 'present'])
  assert.equal(
    bench.news().filter((event) => event.includes('Warning RegistryUnavailable: The registry of image')).length,
    2,
  )
  // One that is not there has to be tried.
  await bench.advance(seconds(30))
  assert.match(await bench.want(c), /^ErrImagePull: .*no such host$/)
  assert.deepEqual(bench.pulls, ['reg.local/a:latest', 'reg.local/c:latest'])
  // At a later start the registry is asked again.
  bench.pull = async () => undefined
  await bench.advance(minutes(6))
  assert.equal(await bench.want(a), 'pulling')
  await bench.advance()
  assert.equal(await bench.want(a), 'present')
  assert.equal(bench.pulls.at(-1), 'reg.local/a:latest')
})

test('an answer of the registry is not passed over: what it refuses does not start from what is present', async () => {
  const bench = new ImagesBench()
  bench.present.add('reg.local/a:1')
  const answers = [
    'failed to resolve reference "reg.local/a:1": pull access denied, repository does not exist or may require authorization',
    'failed to resolve reference "reg.local/a:1": unexpected status from HEAD request to https://reg.local/v2/a/manifests/1: 403 Forbidden',
    'SignatureValidationFailed: no signature',
  ]
  for (const [at, words] of answers.entries()) {
    bench.pull = () => Promise.reject(refusal(words))
    const pod = oneContainer(`pod-${at}`, 'reg.local/a:1', 'Always')
    await bench.want(pod)
    await bench.advance()
    assert.match(await bench.want(pod), /^(ErrImagePull|SignatureValidationFailed): /)
  }
})

test('one pull at a time in their order, as many as are allowed, and the same image for several pods once', async () => {
  for (const maxParallelPulls of [1, 2]) {
    const bench = new ImagesBench({ maxParallelPulls })
    let [now, most] = [0, 0]
    bench.pull = async (reference) => {
      most = Math.max(most, ++now)
      await bench.clock.sleep(seconds(10))
      now--
      bench.present.add(reference)
    }
    const pods = ['a', 'b', 'c', 'a'].map((image, at) => oneContainer(`pod-${at}`, `reg.local/${image}:1`))
    for (const pod of pods) await bench.want(pod)
    await bench.advance(seconds(40))
    assert.equal(most, maxParallelPulls)
    assert.deepEqual(bench.pulls, ['reg.local/a:1', 'reg.local/b:1', 'reg.local/c:1'])
    for (const pod of pods) assert.equal(await bench.want(pod), 'present')
    const waited = bench.told.find((event) => event.startsWith('pod-2') && event.includes('Successfully'))
    assert.match(waited ?? '', maxParallelPulls === 1 ? /in 10s \(30s including/ : /in 10s \(20s including/)
  }
})

test('two containers of one pod share a pull, and each may start with it', async () => {
  const bench = new ImagesBench()
  const container = { image: 'till:1', imagePullPolicy: 'Always' }
  const pod = podOf('till', {
    initContainers: [{ ...container, name: 'first' }],
    containers: [{ ...container, name: 'app' }],
  })
  bench.pull = async (reference) => {
    await bench.clock.sleep(seconds(1))
    bench.present.add(reference)
  }
  assert.deepEqual([await bench.want(pod, 'first'), await bench.want(pod, 'app')], ['pulling', 'pulling'])
  await bench.advance(seconds(1))
  assert.deepEqual([await bench.want(pod, 'first'), await bench.want(pod, 'app')], ['present', 'present'])
  assert.equal(bench.pulls.length, 1)
  const [, pulled] = bench.news()
  assert.match(pulled ?? '', /^till spec.initContainers\{first\} Normal Pulled/)
})

test('a pull that takes too long fails, and the next one gets its turn', async () => {
  const bench = new ImagesBench({ pullDeadline: minutes(10) })
  const signals: (AbortSignal | undefined)[] = []
  bench.pull = (reference, _auth, signal) => {
    signals.push(signal)
    return reference.includes('slow')
      ? new Promise(() => undefined)
      : Promise.resolve(void bench.present.add(reference))
  }
  const [slow, quick] = [oneContainer('slow', 'slow:1'), oneContainer('quick', 'quick:1')]
  await bench.want(slow)
  await bench.want(quick)
  await bench.advance(minutes(10))
  assert.equal(signals[0]?.aborted, true)
  assert.match(await bench.want(slow), /^ErrImagePull: the pull did not end in time/)
  assert.equal(await bench.want(quick), 'present')
})

test('a pod that goes takes its pulls and waits with it, and others go on', async () => {
  const bench = new ImagesBench()
  const signals: (AbortSignal | undefined)[] = []
  bench.pull = async (reference, _auth, signal) => {
    signals.push(signal)
    await bench.clock.sleep(seconds(10), signal)
    bench.present.add(reference)
  }
  const [a, b, other, failing] = ['a', 'b', 'other', 'failing'].map((name) =>
    oneContainer(name, name === 'other' || name === 'failing' ? `${name}:1` : 'same:1'),
  )
  assert.ok(a && b && other && failing)
  for (const pod of [a, b, other]) await bench.want(pod)
  await bench.advance(seconds(1))
  bench.images.forget(a.uid)
  bench.images.forget(other.uid)
  await bench.advance(seconds(9))
  assert.deepEqual(
    signals.map((signal) => signal?.aborted),
    [false],
  )
  assert.equal(await bench.want(b), 'present')
  await bench.want(failing)
  await bench.advance()
  assert.equal(bench.pulls.at(-1), 'failing:1')
  bench.images[Symbol.dispose]()
  await bench.advance(minutes(20))
  assert.deepEqual(
    signals.map((signal) => signal?.aborted),
    [false, true],
  )
  assert.deepEqual(new Set(bench.changed), new Set([b.uid]))
  assert.equal(bench.clock.waiting, 0)
})

test('an image that is another now ends the wait for the old one', async () => {
  const bench = new ImagesBench()
  bench.pull = () => Promise.reject(refusal('not found'))
  await bench.want(oneContainer('till', 'till:1'))
  await bench.advance(seconds(6))
  bench.pull = async (reference) => void bench.present.add(reference)
  const pod = oneContainer('till', 'till:2')
  assert.equal(await bench.want(pod), 'pulling')
  await bench.advance(minutes(20))
  assert.equal(await bench.want(pod), 'present')
  assert.deepEqual(bench.pulls, ['till:1', 'till:2'])
})

test('a runtime that does not answer is the caller’s obstacle; one that refuses to look is the container’s', async () => {
  const bench = new ImagesBench()
  const pod = oneContainer('till', 'till:1')
  const usual = bench.scripts['ImageStatus']
  bench.scripts['ImageStatus'] = () => {
    throw new UnavailableError('The container runtime does not answer', { code: 'EDGED_RUNTIME_UNAVAILABLE' })
  }
  await assert.rejects(bench.want(pod), { code: 'EDGED_RUNTIME_UNAVAILABLE' })
  bench.scripts['ImageStatus'] = () => {
    throw refusal('snapshotter is broken')
  }
  assert.equal(await bench.want(pod), 'ImageInspectError: Failed to inspect image "till:1": snapshotter is broken')
  await bench.advance(seconds(10))
  assert.deepEqual(bench.changed, ['uid-of-till'])
  if (usual) bench.scripts['ImageStatus'] = usual
  assert.match(await bench.want(pod), /^ImageInspectError/)
  await bench.advance()
  assert.equal(await bench.want(pod), 'present')
})

test('a runtime that dies during a pull, or has not what it pulled, is no success', async () => {
  const bench = new ImagesBench()
  const pod = oneContainer('till', 'till:1')
  bench.pull = () =>
    Promise.reject(new UnavailableError('The container runtime does not answer', { code: 'EDGED_RUNTIME_UNAVAILABLE' }))
  await bench.want(pod)
  await bench.advance()
  assert.equal(await bench.want(pod), 'ErrImagePull: The container runtime does not answer')
  bench.pull = async () => undefined
  await bench.advance(seconds(10))
  assert.equal(await bench.want(pod), 'ErrImagePull: The container runtime has pulled an image that it does not have')
})

test('an image that is taken away between its pull and the start is pulled again', async () => {
  const bench = new ImagesBench()
  const pod = oneContainer('till', 'till:1')
  await bench.want(pod)
  await bench.advance()
  bench.present.clear()
  assert.equal(await bench.want(pod), 'pulling')
  await bench.advance()
  assert.equal(await bench.want(pod), 'present')
  assert.equal(bench.pulls.length, 2)
})
