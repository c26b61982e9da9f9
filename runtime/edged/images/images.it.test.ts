import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { test } from 'node:test'
import { silentLogger } from '../../../platform/log/index.ts'
import { ms, seconds, systemClock, systemRandom } from '../../../platform/time/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { openContainerRuntime } from '../cri/cri-runtime.ts'
import type { ContainerRuntime } from '../cri/runtime.ts'
import type { Pod } from '../pod/pod.ts'
import { needsContainerd, startContainerd, TEST_IMAGE } from '../testing/containerd.ts'
import { startRegistry } from '../testing/oci-registry.ts'
import { Refusal, ScriptedRuntime } from '../testing/scripted-runtime.ts'
import { createImages, type ImagesOptions } from './create-images.ts'
import { oneContainer, pullSecret } from './testing/images-bench.ts'

const UNKNOWN = 2
const PATIENCE = 60_000

function imagesOn(runtime: ContainerRuntime, options: Partial<ImagesOptions> = {}) {
  const secrets = new Map<string, JsonObject>()
  const told: string[] = []
  const changes = new EventEmitter()
  const images = createImages(
    {
      ...{ runtime, clock: systemClock, random: systemRandom, log: silentLogger },
      objects: { configMap: async () => undefined, secret: async (_namespace, name) => secrets.get(name) },
      events: { tell: (_pod, { reason, message }) => told.push(`${reason}: ${message}`) },
      onChange: (uid) => changes.emit(uid),
    },
    { backoff: { first: seconds(60), most: seconds(60) }, ...options },
  )
  const want = async (pod: Pod) => {
    const [container] = pod.spec.containers
    assert.ok(container)
    const state = await images.want(pod, container, new AbortController().signal)
    return state.state === 'failed' ? `${state.waiting.reason}: ${state.waiting.message}` : state.state
  }
  return {
    ...{ secrets, told, images, want },
    /** What becomes of a pull that this begins. */
    settled: async (pod: Pod) => {
      const changed = once(changes, pod.uid, { signal: AbortSignal.timeout(PATIENCE) })
      assert.equal(await want(pod), 'pulling')
      await changed
      return want(pod)
    },
  }
}

test('a real runtime pulls from a real registry with the login of the pod, and starts without the registry later', {
  skip: needsContainerd(),
  timeout: 180_000,
}, async () => {
  await using containerd = await startContainerd({ subnet: '10.233.15.0/24' })
  const registry = await startRegistry(temporaryFolder(), ['ann:right'])
  const { secrets, told, want, settled } = imagesOn(containerd.runtime)
  const image = await registry.add('team/till', '1', { cmd: ['/bin/sh'], env: ['FROM=registry'] })
  const withSecret = (name: string, secret: string, policy = 'IfNotPresent') =>
    oneContainer(name, image, policy, { imagePullSecrets: [{ name: secret }] })
  secrets.set('wrong', pullSecret({ [registry.host]: 'ann:wrong' }))
  secrets.set('right', pullSecret({ [registry.host]: 'ann:right', [`${registry.host}/team`]: 'bob:old' }))

  assert.match(await settled(oneContainer('a', image)), /^ErrImagePull: .*(401|authorization|no basic auth)/)
  assert.match(await settled(withSecret('b', 'wrong')), /^ErrImagePull: .*(401|authorization|no basic auth)/)
  assert.equal(await containerd.runtime.imageStatus(image), undefined)
  assert.equal(await settled(withSecret('c', 'right')), 'present')
  const [pulled] = told.filter((event) => event.startsWith('Pulled'))
  assert.match(
    pulled ?? '',
    /^Pulled: Successfully pulled image "127\.0\.0\.1:\d+\/team\/till:1" in [\d.ms]+ \([\d.ms]+ including waiting\)\. Image size: \d+ bytes\.$/,
  )
  assert.ok(registry.asked.some((line) => line === 'ann HEAD /v2/team/till/manifests/1'))
  assert.ok(registry.asked.some((line) => line.startsWith('bob')))
  assert.ok(registry.asked.some((line) => /^ann GET \/v2\/team\/till\/blobs\//.test(line)))
  assert.doesNotMatch(told.join('\n'), /right|old"/)

  assert.equal(await want(withSecret('d', 'wrong')), 'present')
  assert.match(await settled(withSecret('e', 'wrong', 'Always')), /^ErrImagePull: /)
  assert.equal(await settled(withSecret('f', 'right', 'Always')), 'present')
  assert.match(await settled(oneContainer('g', `${registry.host}/team/none:1`, 'Always')), /^ErrImagePull: /)

  await registry[Symbol.asyncDispose]()
  assert.equal(await settled(withSecret('h', 'right', 'Always')), 'present')
  assert.match(told.at(-1) ?? '', /^RegistryUnavailable: The registry of image .*connection refused/)
  const nowhere = '127.0.0.1:1/nothing:1'
  assert.match(
    await settled(oneContainer('i', nowhere)),
    /^ErrImagePull: .*127\.0\.0\.1:1: connect: connection refused/,
  )
  assert.equal(await want(oneContainer('j', TEST_IMAGE)), 'present')
  assert.match(await want(oneContainer('k', nowhere, 'Never')), /^ErrImageNeverPull/)
})

async function scripted() {
  const server = await ScriptedRuntime.open()
  const runtime = await openContainerRuntime(`unix://${server.socket}`, systemClock)
  await server.start()
  const present = new Set<string>()
  server.scripts['ImageStatus'] = ({ image }) => {
    const name = String(Object(image).image)
    return present.has(name) ? { image: { id: name, size: 7 } } : {}
  }
  return { server, runtime, present }
}

test('a slow runtime is waited for until the deadline, and its call is taken back', { timeout: 60_000 }, async () => {
  const { server, runtime } = await scripted()
  await using _server = server
  await using _runtime = runtime
  server.scripts['PullImage'] = () => new Promise(() => undefined)
  const { settled, images } = imagesOn(runtime, { pullDeadline: ms(200) })
  assert.match(await settled(oneContainer('till', 'till:1')), /^ErrImagePull: the pull did not end in time/)
  images[Symbol.dispose]()
})

test('a runtime that dies in a pull is no registry’s fault; after it came back the pull is tried again', {
  timeout: 60_000,
}, async () => {
  const { server, runtime, present } = await scripted()
  await using _server = server
  await using _runtime = runtime
  const pulling = Promise.withResolvers<void>()
  server.scripts['PullImage'] = () => {
    pulling.resolve()
    return new Promise(() => undefined)
  }
  const { settled, want, told, images } = imagesOn(runtime, { backoff: { first: ms(200), most: ms(200) } })
  const pod = oneContainer('till', 'till:1')
  const first = settled(pod)
  await pulling.promise
  server.stop()
  await assert.rejects(first, { code: 'EDGED_RUNTIME_UNAVAILABLE' })
  server.scripts['PullImage'] = ({ image }) => {
    present.add(String(Object(image).image))
    return { imageRef: 'till' }
  }
  await server.start()
  const end = performance.now() + PATIENCE
  while (!told.some((event) => event.startsWith('Pulled')) && performance.now() < end)
    await new Promise((resolve) => setImmediate(resolve))
  assert.equal(await want(pod), 'present')
  images[Symbol.dispose]()
})

test('what is sent to the runtime is the name with its tag and the login alone', { timeout: 60_000 }, async () => {
  const { server, runtime } = await scripted()
  await using _server = server
  await using _runtime = runtime
  server.scripts['PullImage'] = () => {
    throw new Refusal(UNKNOWN, 'pull access denied')
  }
  const { settled, secrets, images } = imagesOn(runtime)
  secrets.set('a', pullSecret({ 'docker.io': 'ann:secret' }))
  const pod = oneContainer('till', 'acme/till', 'Always', { imagePullSecrets: [{ name: 'a' }] })
  assert.equal(await settled(pod), 'ErrImagePull: pull access denied')
  const call = server.calls.find(({ method }) => method === 'PullImage')
  const { image, auth } = Object(call?.request)
  assert.equal(image.image, 'acme/till:latest')
  assert.deepEqual([auth.username, auth.password, auth.serverAddress], ['ann', 'secret', ''])
  images[Symbol.dispose]()
})
