import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { SeededRandom } from '../../hub/testing/simulation/ground/seeded-random.ts'
import { silentLogger } from '../../platform/log/index.ts'
import { ms, seconds, systemClock } from '../../platform/time/index.ts'
import { type JsonObject, type PodReport, podReports } from '../../schemas/index.ts'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import type { SandboxConfig } from './cri/runtime.ts'
import { createContainerGc } from './housekeeping/container-gc.ts'
import { createImageGc } from './housekeeping/image-gc.ts'
import { Places } from './places.ts'
import { listIn, numberIn } from './pod/json.ts'
import { LABELS } from './state/labels.ts'
import { needsContainerd, startContainerd, TEST_IMAGE, type TestContainerd } from './testing/containerd.ts'
import { EdgedBench } from './testing/edged-bench.ts'
import { KillableEdged } from './testing/killable-edged.ts'
import { processesOf } from './testing/power-off.ts'
import { tracesOf } from './testing/traces.ts'

/** `node runtime/edged/crashes.it.test.ts [ROUNDS [SEED]]` for long runs; a failure names its seed. */
const [, , rounds = '8', seed = 'crashes'] = process.argv
const ROUNDS = Number(rounds) || 8
const NETWORK = { prefix: '10.233.56.' }
const FOREIGN_IMAGE = 'skerry.test/foreign:1'
const STAYS = "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done"
const NAMES: readonly [string, ...string[]] = ['one', 'two', 'three', 'four']
const AT_ONCE = new AbortController().signal

const app = (script: string, more: JsonObject = {}): JsonObject => ({
  ...{ name: 'app', image: TEST_IMAGE, command: ['sh', '-c', script] },
  ...more,
})
const podOf = (name: string, container: JsonObject, spec: JsonObject = {}, uid = `uid-of-${name}`): JsonObject => ({
  metadata: { name, namespace: 'shop', uid },
  spec: { terminationGracePeriodSeconds: 1, containers: [container], ...spec },
})
const MOUNTS = { volumeMounts: ['settings', 'work'].map((name) => ({ name, mountPath: `/${name}` })) }
const VOLUMES = [
  { name: 'settings', configMap: { name: 'settings' } },
  { name: 'work', emptyDir: { medium: 'Memory' } },
]
const KINDS: readonly [(name: string, uid: string) => JsonObject, ...((name: string, uid: string) => JsonObject)[]] = [
  (name, uid) => podOf(name, app(STAYS), {}, uid),
  (name, uid) => podOf(name, app(STAYS, MOUNTS), { volumes: VOLUMES }, uid),
  (name, uid) => podOf(name, app('exit 0'), { restartPolicy: 'Never' }, uid),
  (name, uid) => podOf(name, app('exit 1'), {}, uid),
  (name, uid) => podOf(name, app(STAYS), { initContainers: [app('exit 0', { name: 'init' })] }, uid),
]

describe('pods of an Edged or a containerd that crashes', { skip: needsContainerd(), timeout: 3_600_000 }, () => {
  let containerd: TestContainerd

  before(async () => {
    containerd = await startContainerd({ subnet: '10.233.56.0/24' })
    await containerd.addImage({ name: FOREIGN_IMAGE, env: ['FOREIGN=1'] })
  })
  after(() => containerd[Symbol.asyncDispose]())

  /**
   * But for logs, which are left to those who collect them, and shims that containerd has lost: where its client ends meanwhile, it
   * kills `containerd-shim start`, which may have started one already, and no call of CRI knows of that. What runs under a shim is seen.
   */
  const traces = async (directory: string) =>
    (await tracesOf(containerd, NETWORK, directory)).filter(
      (trace) => !/^(log folder |process \S*containerd-shim)/.test(trace),
    )
  const endLostShims = async () => {
    for (const { pid } of await processesOf(containerd.socket)) process.kill(pid, 'SIGKILL')
  }
  const containersOf = async (uid: string) =>
    (await containerd.runtime.listContainers({ [LABELS.podUid]: uid })).map(({ id, state }) => `${state} ${id}`)
  const bench = (directory: string) => new EdgedBench({ runtime: containerd.socket, directory })

  it('leave nothing behind, and what stays assigned runs once, whenever Edged was killed', {
    timeout: 120_000 + ROUNDS * 10_000,
  }, async () => {
    const random = new SeededRandom(seed)
    const directory = join(temporaryFolder(), 'edged')
    await using edged = new KillableEdged(containerd.socket, directory)
    let count = 0
    const change = () => {
      const name = random.pick(NAMES)
      const key = `shop/${name}`
      if (edged.assigned.includes(key) && random.chance(0.6)) return edged.unassign(key)
      edged.assign(key, random.pick(KINDS)(name, `${name}-${++count}`))
    }
    const told = `seed ${seed}, ${ROUNDS} rounds`
    edged.assign('shop/stays', podOf('stays', app(STAYS, MOUNTS), { volumes: VOLUMES }))
    for (let round = 0; round < ROUNDS; round++) {
      const started = edged.start()
      // Else it is killed on its way up.
      if (random.chance(0.9)) await started
      for (let left = random.between(50, 1800); left > 0; ) {
        change()
        const pause = Math.min(left, random.between(20, 500))
        left -= pause
        await systemClock.sleep(ms(pause))
      }
      await edged.kill()
      const running = (await containersOf('uid-of-stays')).filter((each) => each.startsWith('running'))
      assert.ok(running.length <= 1, `${told}: ${running.join()}`)
    }
    for (const name of NAMES) edged.unassign(`shop/${name}`)
    await edged.start()
    const files = () => [join(directory, 'pods'), join(directory, 'records')].flatMap((folder) => readdirSync(folder))
    await untilSame(
      async () => ({
        sandboxes: (await containerd.runtime.listSandboxes()).map(
          ({ metadata, isReady }) => `${metadata.uid} ${isReady}`,
        ),
        running: (await containersOf('uid-of-stays')).filter((each) => each.startsWith('running')).length,
        files: files(),
      }),
      { sandboxes: ['uid-of-stays true'], running: 1, files: ['uid-of-stays', 'uid-of-stays.json'] },
      told,
    )
    edged.unassign('shop/stays')
    await untilSame(() => traces(directory), [], told)
    await edged.stop()
    assert.deepEqual(await traces(directory), [], told)
    await endLostShims()
  })

  it('are left alone by another Edged on the same runtime, as is what nobody here has made', {
    timeout: 120_000,
  }, async () => {
    const folder = temporaryFolder()
    const [here, there] = [join(folder, 'here'), join(folder, 'there')]
    await using one = bench(here)
    await using other = bench(there)
    await Promise.all([one.start(), other.start()])
    const foreign = await foreignPod(containerd)
    one.assign(podOf('here', app(STAYS)))
    other.assign(podOf('there', app(STAYS)))
    other.assign(podOf('done', app('exit 0'), { restartPolicy: 'Never' }))
    await Promise.all([one.phase('shop/here', 'Running'), other.phase('shop/there', 'Running')])
    await other.phase('shop/done', 'Succeeded')
    const all = async () => ({
      sandboxes: (await containerd.runtime.listSandboxes()).map(({ id, isReady }) => `${id} ${isReady}`).sort(),
      containers: (await containerd.runtime.listContainers()).map(({ id, state }) => `${id} ${state}`).sort(),
      images: (await containerd.runtime.listImages()).map(({ id }) => id).sort(),
      files: [here, there].map((directory) => readdirSync(join(directory, 'pods'))),
    })
    await untilSame(async () => (await all()).files, [['uid-of-here'], ['uid-of-there']], 'done is not released')
    const found = await all()
    assert.deepEqual([found.sandboxes.length, found.containers.length], [4, 5])

    for (const each of [one, other]) await comesAndGoes(each)
    assert.deepEqual(await all(), found)

    await other.stop()
    await housekeeping(containerd, here, 'uid-of-here')
    await one.stop()
    await one.start()
    await comesAndGoes(one)
    assert.deepEqual(await all(), found)

    await other.start()
    await comesAndGoes(other)
    assert.deepEqual(await all(), found)

    one.unassign('shop/here')
    for (const name of ['there', 'done']) other.unassign(`shop/${name}`)
    await one.retracted('shop/here')
    for (const name of ['there', 'done']) await other.retracted(`shop/${name}`)
    const left = await all()
    assert.deepEqual([left.sandboxes, left.files], [[`${foreign} true`], [[], []]])
    assert.equal(left.containers.length, 2)
    await containerd.runtime.stopSandbox(foreign)
    await containerd.runtime.removeSandbox(foreign)
  })

  it('run on while containerd hangs, and while it is away; what comes meanwhile starts afterwards', {
    timeout: 120_000,
  }, async () => {
    const folder = temporaryFolder()
    const [diary, directory] = [join(folder, 'diary'), join(folder, 'edged')]
    mkdirSync(diary)
    await using edged = bench(directory)
    await edged.start()
    const exec = { exec: { command: ['true'] }, periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 1 }
    const container = app(`echo started >> /diary/web; ${STAYS}`, {
      volumeMounts: [{ name: 'diary', mountPath: '/diary' }],
      ...{ readinessProbe: exec, livenessProbe: exec },
    })
    edged.assign(podOf('web', container, { volumes: [{ name: 'diary', hostPath: { path: diary } }] }))
    const { status } = await edged.reported('shop/web', isReady)
    const before = await containersOf('uid-of-web')
    const bad: string[] = []
    using _watch = edged.bus.watch(podReports, ({ key, value }) => {
      if (value?.status['phase'] === 'Failed' || (key === 'shop/web' && !(value && isReady(value))))
        bad.push(`${key} ${JSON.stringify(value)}`)
    })

    containerd.freeze()
    edged.assign(podOf('hung', app(STAYS)))
    await systemClock.sleep(seconds(5))
    containerd.thaw()
    await edged.phase('shop/hung', 'Running')

    edged.assign(podOf('caught', app(STAYS)))
    await containerd.kill()
    edged.assign(podOf('away', app(STAYS)))
    await systemClock.sleep(seconds(3))
    await containerd.start()
    for (const name of ['caught', 'away']) await edged.phase(`shop/${name}`, 'Running')
    assert.deepEqual(bad, [])
    assert.deepEqual(edged.report('shop/web')?.status, status)
    assert.deepEqual(await containersOf('uid-of-web'), before)
    assert.equal(readFileSync(join(diary, 'web'), 'utf8'), 'started\n')
    for (const name of ['hung', 'caught', 'away']) {
      const running = (await containersOf(`uid-of-${name}`)).filter((each) => each.startsWith('running'))
      assert.equal(running.length, 1, name)
    }
    for (const name of ['web', 'hung', 'caught', 'away']) edged.unassign(`shop/${name}`)
    for (const name of ['web', 'hung', 'caught', 'away']) await edged.retracted(`shop/${name}`)
    assert.deepEqual(await traces(directory), [])
  })
})

async function comesAndGoes(bench: EdgedBench): Promise<void> {
  bench.assign(podOf('guest', app(STAYS)))
  await bench.phase('shop/guest', 'Running')
  bench.unassign('shop/guest')
  await bench.retracted('shop/guest')
}

/** Of somebody who labels as a kubelet does: one container that runs, and one that has ended. Its sandbox's id. */
async function foreignPod({ runtime, folder }: TestContainerd): Promise<string> {
  const labels = { [LABELS.podName]: 'foreign', [LABELS.podNamespace]: 'shop', [LABELS.podUid]: 'uid-of-foreign' }
  const config: SandboxConfig = {
    metadata: { name: 'foreign', namespace: 'shop', uid: 'uid-of-foreign', attempt: 0 },
    ...{ labels, logDirectory: join(folder, 'foreign'), linux: {} },
  }
  const sandbox = await runtime.runSandbox(config, '')
  const start = async (name: string, script: string) => {
    const command = ['sh', '-c', script]
    const made = { metadata: { name, attempt: 0 }, image: { image: FOREIGN_IMAGE }, command, labels, linux: {} }
    const id = await runtime.createContainer(sandbox, made, config)
    await runtime.startContainer(id)
    return id
  }
  await start('runs', STAYS)
  await runtime.stopContainer(await start('ended', STAYS), seconds(5))
  return sandbox
}

/** All that it removes, without the patience it has. */
async function housekeeping({ runtime }: TestContainerd, directory: string, uid: string): Promise<void> {
  const [sandbox] = await runtime.listSandboxes({ [LABELS.podUid]: uid })
  const owner = sandbox?.labels[LABELS.owner] ?? ''
  assert.notEqual(owner, '')
  const clock = { ...systemClock, now: () => systemClock.now() + 86_400_000 }
  const ports = { runtime, clock, log: silentLogger }
  const places = new Places(directory, join(directory, 'logs'))
  const none = { keepOfEach: 0, keepInAll: 0, minimumAge: ms(0) }
  await createContainerGc({ ...ports, owner, places, pods: () => new Set([uid]) }, none).run(AT_ONCE)
  const images = createImageGc({ ...ports, wanted: () => [TEST_IMAGE] }, { minimumAge: ms(0) })
  await images.removeUnused(AT_ONCE)
  await images.removeUnused(AT_ONCE)
}

function isReady({ status }: PodReport): boolean {
  const [container] = listIn(status, 'containerStatuses')
  return Reflect.get(Object(container), 'ready') === true && numberIn(container, 'restartCount') === 0
}

async function untilSame<T>(look: () => Promise<T>, wanted: T, message: string): Promise<void> {
  const end = performance.now() + 60_000
  for (;;) {
    const found = await look()
    if (JSON.stringify(found) === JSON.stringify(wanted)) return
    if (performance.now() > end) assert.deepEqual(found, wanted, message)
    await systemClock.sleep(ms(100))
  }
}
