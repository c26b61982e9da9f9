import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import { needsSmallDisk, smallDisk } from '../../../tools/testing/small-disk.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { ObstacleError } from '../pod/obstacle.ts'
import type { Pod } from '../pod/pod.ts'
import { needsLinux } from './testing/needs-mounts.ts'
import { configMap, FACTS, fakeStage, NEVER, podWith, secret } from './testing/volumes-stage.ts'

const skip = needsLinux()
const SETTINGS = { name: 'settings', configMap: { name: 'settings' } }
const LOGIN = { name: 'login', secret: { secretName: 'login' } }
const TOKEN = { name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }
const modeOf = (path: string) => (lstatSync(path).mode & 0o7777).toString(8)

function refusal(reason: string, message: string | RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof ObstacleError)
    assert.equal(error.waiting.reason, reason)
    if (typeof message === 'string') assert.equal(error.waiting.message, message)
    else assert.match(error.waiting.message, message)
    return true
  }
}

/** Places of the container's volumes on this node, by the path at which it has them. */
async function mounted(stage: ReturnType<typeof fakeStage>, pod: Pod, environment = new Map<string, string>()) {
  const [app] = pod.spec.containers
  assert.ok(app)
  const mounts = await stage.volumes.mountsOf(pod, app, environment)
  return Object.fromEntries(mounts.map((mount) => [mount.containerPath, mount]))
}

test('all kinds of volumes are made, and mounted as the container wants them', { skip }, async () => {
  const stage = fakeStage()
  stage.configMaps.set('shop/settings', configMap({ 'app.conf': 'x=1' }))
  stage.secrets.set('shop/login', secret({ user: 'till' }))
  const info = { name: 'info', downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } }
  const host = { name: 'host', hostPath: { path: join(stage.folder, 'host'), type: 'DirectoryOrCreate' } }
  const fast = { name: 'fast', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }
  const volumeMounts = [
    { name: 'data', mountPath: '/data', mountPropagation: 'HostToContainer' },
    { name: 'fast', mountPath: 'fast/' },
    { name: 'host', mountPath: '/host', readOnly: true },
    { name: 'settings', mountPath: '/settings' },
    { name: 'login', mountPath: '/login' },
    { name: 'info', mountPath: '/info' },
    { name: 'token', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', mountPropagation: 'Bidirectional' },
  ]
  const pod = podWith(
    [{ name: 'data' }, fast, host, SETTINGS, LOGIN, info, TOKEN],
    {},
    {
      volumeMounts,
      securityContext: { privileged: true },
    },
  )
  await stage.volumes.prepare(pod, FACTS, NEVER)
  const mounts = await mounted(stage, pod)
  const read = (path: string, file: string) => readFileSync(join(mounts[path]?.hostPath ?? '', file), 'utf8')
  assert.deepEqual(
    [read('/settings', 'app.conf'), read('/login', 'user'), read('/info', 'name')],
    ['x=1', 'till', 'till'],
  )
  assert.equal(read('/var/run/secrets/kubernetes.io/serviceaccount', 'token'), 'first')
  assert.deepEqual(mounts['/host'], {
    ...{ containerPath: '/host', hostPath: join(stage.folder, 'host'), readonly: true },
    ...{ selinuxRelabel: false, propagation: 'PROPAGATION_PRIVATE' },
  })
  const shape = Object.values(mounts).map(({ readonly, propagation = '' }) => `${readonly} ${propagation.slice(12)}`)
  assert.deepEqual(shape, [
    'false HOST_TO_CONTAINER',
    'false PRIVATE',
    'true PRIVATE',
    'true PRIVATE',
    'true PRIVATE',
    'true PRIVATE',
    'true BIDIRECTIONAL',
  ])
  // One mount for all secrets of the pod, and one for its folder in memory.
  assert.deepEqual(
    stage.mounts.made.map(({ path, options }) => [path, options?.bytes, options?.mode.toString(8)]),
    [
      [join(stage.places.volumes('u-1'), 'fast'), 1024 * 1024, '777'],
      [join(stage.places.pod('u-1'), 'memory'), FACTS.allocatable.memoryBytes, '711'],
    ],
  )
  assert.equal(modeOf(stage.places.pod('u-1')), '700')
  assert.equal(modeOf(mounts['/data']?.hostPath ?? ''), '777')
  await stage.volumes.prepare(pod, FACTS, NEVER)
  assert.equal(stage.mounts.made.length, 2)
})

test('what a container wrote stays when its pod is prepared again, also by another process', { skip }, async () => {
  const stage = fakeStage()
  const pod = podWith([{ name: 'data' }])
  await stage.volumes.prepare(pod, FACTS, NEVER)
  const folder = join(stage.places.volumes('u-1'), 'data')
  writeFileSync(join(folder, 'x'), 'kept')
  chmodSync(folder, 0o700)
  await stage.restarted().prepare(pod, FACTS, NEVER)
  assert.deepEqual([readFileSync(join(folder, 'x'), 'utf8'), modeOf(folder)], ['kept', '700'])
})

test('a folder that a crash left unfinished is made anew', { skip }, async () => {
  const stage = fakeStage()
  mkdirSync(join(stage.places.volumes('u-1'), '.data', 'rest'), { recursive: true })
  await stage.volumes.prepare(podWith([{ name: 'data' }]), FACTS, NEVER)
  assert.deepEqual(readdirSync(stage.places.volumes('u-1')), ['data'])
  assert.deepEqual(readdirSync(join(stage.places.volumes('u-1'), 'data')), [])
})

test('news of the cloud come into running volumes, and nothing is written without news', { skip }, async () => {
  const stage = fakeStage()
  stage.configMaps.set('shop/settings', configMap({ a: '1', b: '2' }))
  const labels = {
    name: 'labels',
    downwardAPI: { items: [{ path: 'app', fieldRef: { fieldPath: "metadata.labels['app']" } }] },
  }
  const pod = podWith([SETTINGS, TOKEN, labels], { metadata: { labels: { app: 'one' } } })
  await stage.volumes.prepare(pod, FACTS, NEVER)
  const folder = join(stage.places.volumes('u-1'), 'settings')
  const current = () => readlinkSync(join(folder, '..data'))
  const before = current()
  await stage.volumes.refresh(pod, FACTS, NEVER)
  await stage.restarted().refresh(pod, FACTS, NEVER)
  assert.equal(current(), before)
  stage.configMaps.set('shop/settings', configMap({ a: '3', c: '4' }))
  stage.token = 'second'
  await stage.volumes.refresh({ ...pod, labels: { app: 'two' } }, FACTS, NEVER)
  assert.notEqual(current(), before)
  assert.deepEqual(
    readdirSync(folder).filter((name) => !name.startsWith('..')),
    ['a', 'c'],
  )
  assert.equal(readFileSync(join(folder, 'a'), 'utf8'), '3')
  assert.equal(readFileSync(join(stage.places.pod('u-1'), 'memory', 'token', 'token'), 'utf8'), 'second')
  assert.equal(readFileSync(join(stage.places.volumes('u-1'), 'labels', 'app'), 'utf8'), 'two')
})

test('while the cloud is away volumes keep their files, also over a restart of Edged, and the log says so once', {
  skip,
}, async () => {
  const stage = fakeStage()
  stage.configMaps.set('shop/settings', configMap({ a: '1' }))
  const pod = podWith([SETTINGS, TOKEN])
  await stage.volumes.prepare(pod, FACTS, NEVER)
  stage.isOffline = true
  for (let round = 0; round < 3; round++) await stage.volumes.refresh(pod, FACTS, NEVER)
  assert.equal(stage.log.messages('warn').length, 2)
  await stage.restarted().prepare(pod, FACTS, NEVER)
  assert.equal(readFileSync(join(stage.places.volumes('u-1'), 'settings', 'a'), 'utf8'), '1')
  // A reboot empties memory: what was there cannot be had now.
  await stage.mounts.unmount(join(stage.places.pod('u-1'), 'memory'))
  await assert.rejects(
    stage.restarted().prepare(pod, FACTS, NEVER),
    refusal(
      'FailedMount',
      'volume "token": token of service account "default" of namespace shop: the cloud is away and this node does not have it',
    ),
  )
  stage.isOffline = false
  await stage.volumes.prepare(pod, FACTS, NEVER)
  assert.equal(readFileSync(join(stage.places.pod('u-1'), 'memory', 'token', 'token'), 'utf8'), 'first')
})

test('a configmap that goes leaves its files, and one that may be absent takes them with it', { skip }, async () => {
  const stage = fakeStage()
  stage.configMaps.set('shop/settings', configMap({ a: '1' }))
  const pod = podWith([SETTINGS, { name: 'maybe', configMap: { name: 'settings', optional: true } }])
  await stage.volumes.prepare(pod, FACTS, NEVER)
  stage.configMaps.delete('shop/settings')
  await stage.volumes.refresh(pod, FACTS, NEVER)
  const shown = (name: string) =>
    readdirSync(join(stage.places.volumes('u-1'), name)).filter((each) => !each.startsWith('..'))
  assert.deepEqual([shown('settings'), shown('maybe')], [['a'], []])
})

test('what is missing is told, all others are made, and it goes on when it is there', { skip }, async () => {
  const stage = fakeStage()
  const pod = podWith([SETTINGS, { name: 'data' }, LOGIN])
  await assert.rejects(
    stage.volumes.prepare(pod, FACTS, NEVER),
    refusal(
      'FailedMount',
      'volume "settings": configmap "settings" of namespace shop is not there (and 1 more of its volumes)',
    ),
  )
  assert.ok(existsSync(join(stage.places.volumes('u-1'), 'data')))
  stage.configMaps.set('shop/settings', configMap({ a: '1' }))
  await assert.rejects(
    stage.volumes.prepare(pod, FACTS, NEVER),
    refusal('FailedMount', 'volume "login": secret "login" of namespace shop is not there'),
  )
  stage.secrets.set('shop/login', secret({ user: 'till' }))
  await stage.volumes.prepare(pod, FACTS, NEVER)
})

test('what is of the node has to be of its type', { skip }, async (t) => {
  const stage = fakeStage()
  const at = (name: string) => join(stage.folder, name)
  mkdirSync(at('folder'))
  writeFileSync(at('file'), '')
  symlinkSync(at('folder'), at('link'))
  const server = createServer().listen(at('socket'))
  await once(server, 'listening')
  t.after(() => server.close())
  const prepared = (path: string, type: string) =>
    stage.volumes.prepare(podWith([{ name: 'host', hostPath: { path, type } }]), FACTS, NEVER)
  const good: readonly (readonly [string, string])[] = [
    [at('folder'), 'Directory'],
    [at('link'), 'Directory'],
    [at('folder'), 'DirectoryOrCreate'],
    [at('new/deep'), 'DirectoryOrCreate'],
    [at('file'), 'File'],
    [at('file'), 'FileOrCreate'],
    [at('new/file'), 'FileOrCreate'],
    [at('socket'), 'Socket'],
    ['/dev/null', 'CharDevice'],
    [at('none'), ''],
  ]
  for (const [path, type] of good) await prepared(path, type)
  assert.deepEqual([modeOf(at('new/deep')), statSync(at('new/file')).size], ['755', 0])
  const bad: readonly (readonly [string, string, string])[] = [
    [at('none'), 'Directory', `there is no ${at('none')} on this node, and its type is Directory`],
    [at('none'), 'Socket', `there is no ${at('none')} on this node, and its type is Socket`],
    [at('file'), 'Directory', `${at('file')} on this node is not a folder, and its type is Directory`],
    [at('file'), 'DirectoryOrCreate', `${at('file')} on this node is not a folder, and its type is DirectoryOrCreate`],
    [at('folder'), 'FileOrCreate', `${at('folder')} on this node is not a file, and its type is FileOrCreate`],
    [at('file/x'), 'DirectoryOrCreate', `${at('file/x')} on this node cannot be made (ENOTDIR)`],
    [at('no/file'), 'FileOrCreate', `${at('no/file')} on this node cannot be made (ENOENT)`],
    ['/dev/null', 'BlockDevice', '/dev/null on this node is not a block device, and its type is BlockDevice'],
    ['relative', '', 'hostPath "relative" has to be absolute and without ".."'],
    ['/var/../etc', '', 'hostPath "/var/../etc" has to be absolute and without ".."'],
  ]
  for (const [path, type, why] of bad) {
    await assert.rejects(prepared(path, type), refusal('FailedMount', `volume "host": ${why}`), `${path} ${type}`)
  }
})

test('a mount that cannot be is refused with its reason', { skip }, async () => {
  const cases: readonly (readonly [JsonObject, string])[] = [
    [
      { mountPropagation: 'Bidirectional' },
      'volume "data": mountPropagation Bidirectional is for privileged containers only',
    ],
    [{ subPath: '../x' }, 'volume "data": subPath "../x" has to stay in the volume: relative and without ".."'],
    [{ subPath: '/etc' }, 'volume "data": subPath "/etc" has to stay in the volume: relative and without ".."'],
    [
      { subPathExpr: 'a/$(UP)' },
      'volume "data": subPath "a/../../etc" has to stay in the volume: relative and without ".."',
    ],
    [{ subPathExpr: '$(NO)' }, 'volume "data": subPathExpr $(NO) needs the variable NO, which is not there'],
    [{ subPathExpr: '$(EMPTY)' }, 'volume "data": subPathExpr $(EMPTY) is empty'],
    [{ subPath: 'a', subPathExpr: 'a' }, 'volume "data": subPath and subPathExpr exclude each other'],
  ]
  const environment = new Map([
    ['UP', '../../etc'],
    ['EMPTY', ''],
  ])
  for (const [mount, why] of cases) {
    const stage = fakeStage()
    const pod = podWith([{ name: 'data' }], {}, { volumeMounts: [{ name: 'data', mountPath: '/data', ...mount }] })
    await stage.volumes.prepare(pod, FACTS, NEVER)
    await assert.rejects(
      mounted(stage, pod, environment),
      refusal('CreateContainerConfigError', `container app: ${why}`),
    )
  }
  const twice = [
    { name: 'data', mountPath: '/data' },
    { name: 'data', mountPath: 'data//' },
  ]
  const stage = fakeStage()
  await assert.rejects(
    mounted(stage, podWith([{ name: 'data' }], {}, { volumeMounts: twice })),
    refusal('CreateContainerConfigError', /two volumes are mounted at \/data/),
  )
})

test('who may not mount keeps secrets in a folder of his own and says so once, and makes no folder in memory', {
  skip,
}, async () => {
  const stage = fakeStage()
  stage.mounts.isRoot = false
  stage.secrets.set('shop/login', secret({ user: 'till' }))
  const login = podWith(
    [LOGIN, TOKEN, { name: 'data' }],
    {},
    {
      volumeMounts: [
        { name: 'login', mountPath: '/login' },
        { name: 'token', mountPath: '/token' },
        { name: 'data', mountPath: '/data', subPath: 'a/b' },
      ],
    },
  )
  await stage.volumes.prepare(login, FACTS, NEVER)
  await stage.volumes.refresh(login, FACTS, NEVER)
  assert.equal(stage.log.messages('warn').length, 1)
  assert.equal(stage.mounts.made.length, 0)
  assert.equal(modeOf(join(stage.places.pod('u-1'), 'memory')), '700')
  const { '/data': data } = await mounted(stage, login)
  assert.equal(data?.hostPath, join(stage.places.volumes('u-1'), 'data', 'a', 'b'))
  await assert.rejects(
    stage.volumes.prepare(podWith([{ name: 'fast', emptyDir: { medium: 'Memory' } }]), FACTS, NEVER),
    refusal('FailedMount', 'volume "fast": emptyDir in memory is mounted, which needs Edged to run as root'),
  )
  // Later it may: what is on disk goes before memory covers it.
  stage.mounts.isRoot = true
  const memory = join(stage.places.pod('u-1'), 'memory')
  const rest = join(memory, 'rest')
  writeFileSync(rest, 'geheim')
  await stage.restarted().prepare(login, FACTS, NEVER)
  assert.equal(existsSync(rest), false)
  assert.equal(stage.mounts.made[0]?.path, memory)
})

test('a pod goes with its mounts, and one that is in use stays whole until it can', { skip }, async () => {
  const stage = fakeStage()
  const { places, volumes, mounts } = stage
  stage.secrets.set('shop/login', secret({ user: 'till' }))
  await volumes.prepare(podWith([LOGIN, { name: 'data' }]), FACTS, NEVER)
  await volumes.prepare(podWith([{ name: 'data' }], { metadata: { uid: 'u-10' } }), FACTS, NEVER)
  assert.deepEqual([...(await volumes.present())].sort(), ['u-1', 'u-10'])
  mounts.busy.add(join(places.pod('u-1'), 'memory'))
  await assert.rejects(volumes.remove('u-1'), /target is busy/)
  assert.ok(existsSync(join(places.volumes('u-1'), 'data')))
  mounts.busy.clear()
  await volumes.remove('u-1')
  await volumes.remove('u-1')
  assert.deepEqual([await volumes.present(), mounts.made], [['u-10'], []])
})

test('no name of the cloud leads out of the folder of pods', { skip }, async () => {
  const { volumes, places, folder } = fakeStage()
  writeFileSync(join(folder, 'precious'), '')
  for (const uid of ['', '.', '..', '../..', 'a/b', '/']) {
    await assert.rejects(volumes.remove(uid), { code: 'EDGED_NAME_NOT_PLAIN' })
    await assert.rejects(volumes.prepare({ ...podWith([{ name: 'a' }]), uid }, FACTS, NEVER), {
      code: 'EDGED_NAME_NOT_PLAIN',
    })
  }
  await assert.rejects(
    volumes.prepare(podWith([{ name: '../../x' }]), FACTS, NEVER),
    refusal('FailedMount', /its name has to be of letters, digits and hyphens/),
  )
  assert.deepEqual(readdirSync(places.pods), [])
  assert.ok(existsSync(join(folder, 'precious')))
})

test('nothing is there where no pod ever was', { skip }, async () => {
  const { volumes, places } = fakeStage()
  await volumes.remove('u-1')
  assert.deepEqual(await volumes.present(), [])
  assert.ok(existsSync(places.pods))
})

test('what folders on disk hold is counted against their limits', { skip }, async () => {
  const stage = fakeStage()
  const pod = podWith([
    { name: 'small', emptyDir: { sizeLimit: '100Ki' } },
    { name: 'free' },
    { name: 'fast', emptyDir: { medium: 'Memory' } },
  ])
  const nothing = await stage.volumes.usageOf(pod, NEVER)
  assert.deepEqual(
    nothing.map(({ bytes }) => bytes),
    [0, 0],
  )
  await stage.volumes.prepare(pod, FACTS, NEVER)
  const big = temporaryFolder()
  writeFileSync(join(big, 'of-the-host'), Buffer.alloc(1_000_000))
  symlinkSync(big, join(stage.places.volumes('u-1'), 'small', 'link'))
  const before = await stage.volumes.usageOf(pod, NEVER)
  assert.deepEqual(
    before.map(({ volume, sizeLimit }) => [volume, sizeLimit]),
    [
      ['small', { text: '100Ki', bytes: 102_400 }],
      ['free', undefined],
    ],
  )
  writeFileSync(join(stage.places.volumes('u-1'), 'small', 'x'), Buffer.alloc(200_000))
  const after = await stage.volumes.usageOf(pod, NEVER)
  const grown = (after[0]?.bytes ?? 0) - (before[0]?.bytes ?? 0)
  assert.ok(grown >= 200_000 && grown < 300_000, String(grown))
  assert.ok((before[0]?.bytes ?? 0) < 102_400)
})

test('an aborted preparation says why it was aborted', { skip }, async () => {
  const stage = fakeStage()
  stage.configMaps.set('shop/settings', configMap({ a: '1' }))
  const signal = AbortSignal.abort(new Error('the pod has to end'))
  await assert.rejects(stage.volumes.prepare(podWith([SETTINGS]), FACTS, signal), /the pod has to end/)
  await assert.rejects(stage.volumes.refresh(podWith([SETTINGS]), FACTS, signal), /the pod has to end/)
})

test('a full disk is told, and is no obstacle for what is there', { skip: needsSmallDisk() }, async (t) => {
  const disk = await smallDisk(t, '4m')
  const stage = fakeStage(disk.outside)
  stage.configMaps.set('shop/settings', configMap({ a: '1' }))
  const pod = podWith([SETTINGS])
  await stage.volumes.prepare(pod, FACTS, NEVER)
  await disk.fill()
  stage.configMaps.set('shop/settings', configMap({ a: 'x'.repeat(100_000) }))
  await stage.volumes.prepare(pod, FACTS, NEVER)
  await stage.volumes.refresh(pod, FACTS, NEVER)
  assert.equal(readFileSync(join(stage.places.volumes('u-1'), 'settings', 'a'), 'utf8'), '1')
  const other = podWith([SETTINGS], { metadata: { uid: 'u-2' } })
  await assert.rejects(stage.volumes.prepare(other, FACTS, NEVER), refusal('FailedMount', /there is no space left/))
  await disk.free()
  await stage.volumes.prepare(other, FACTS, NEVER)
})
