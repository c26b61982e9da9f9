import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statfsSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import { runProgram } from '../testing/run-program.ts'
import { needsMounts } from './testing/needs-mounts.ts'
import { configMap, FACTS, NEVER, podWith, realStage, secret } from './testing/volumes-stage.ts'

const skip = needsMounts()
/** Linux: TMPFS_MAGIC. */
const TMPFS = 0x0102_1994
const LOGIN = { name: 'login', secret: { secretName: 'login' } }

function stageOf(t: TestContext) {
  const stage = realStage()
  t.after(async () => {
    for (const { path } of await stage.mounts.under(stage.folder)) await stage.mounts.unmount(path)
  })
  const mounts = async () => (await stage.mounts.under(stage.places.pods)).map(({ path }) => path)
  const at = (...path: readonly string[]) => join(stage.places.pod('u-1'), ...path)
  return { ...stage, at, mountedPaths: mounts }
}

/** A pod that mounts `data` at `/data` with what a test says of it. */
function podMounting(mount: JsonObject, ...volumes: readonly JsonObject[]) {
  return podWith(volumes, {}, { volumeMounts: [{ name: 'data', mountPath: '/data', ...mount }] })
}

test('secrets are in memory and never on disk, also when they are renewed', { skip }, async (t) => {
  const { volumes, secrets, at, mountedPaths } = stageOf(t)
  secrets.set('shop/login', secret({ user: 'till' }))
  const pod = podWith([LOGIN])
  await volumes.prepare(pod, FACTS, NEVER)
  const folder = at('memory', 'login')
  assert.equal(statfsSync(folder).type, TMPFS)
  secrets.set('shop/login', secret({ user: 'other' }))
  await volumes.refresh(pod, FACTS, NEVER)
  assert.equal(readFileSync(join(folder, 'user'), 'utf8'), 'other')
  assert.deepEqual(await mountedPaths(), [at('memory')])
  // Somebody unmounts it: what comes then is in memory again.
  await runProgram('umount', [at('memory')])
  await volumes.refresh(pod, FACTS, NEVER)
  assert.equal(statfsSync(folder).type, TMPFS)
  await runProgram('umount', [at('memory')])
  assert.deepEqual(readdirSync(at('memory')), [])
})

test('a folder in memory holds no more than its limit, and what is in it stays', { skip }, async (t) => {
  const { volumes, restarted, at } = stageOf(t)
  const fast = { name: 'fast', emptyDir: { medium: 'Memory', sizeLimit: '64Ki' } }
  const pod = podWith([fast], { securityContext: { fsGroup: 2000 } })
  await volumes.prepare(pod, FACTS, NEVER)
  const folder = at('volumes', 'fast')
  assert.throws(() => writeFileSync(join(folder, 'x'), Buffer.alloc(100_000)), { code: 'ENOSPC' })
  writeFileSync(join(folder, 'x'), 'kept')
  await restarted().prepare(pod, FACTS, NEVER)
  assert.equal(readFileSync(join(folder, 'x'), 'utf8'), 'kept')
  const { mode, gid } = statSync(folder)
  assert.deepEqual([(mode & 0o7777).toString(8), gid], ['2777', 2000])
})

test('a pod with a group has volumes that belong to it', { skip }, async (t) => {
  const { volumes, configMaps, at } = stageOf(t)
  configMaps.set('shop/settings', configMap({ a: '1' }))
  const settings = { name: 'settings', configMap: { name: 'settings', defaultMode: 0o400 } }
  await volumes.prepare(podWith([{ name: 'data' }, settings], { securityContext: { fsGroup: 2000 } }), FACTS, NEVER)
  const found = [at('volumes', 'data'), at('volumes', 'settings', 'a')].map((path) => statSync(path))
  assert.deepEqual(
    found.map(({ mode, gid }) => [(mode & 0o7777).toString(8), gid]),
    [
      ['2777', 2000],
      ['440', 2000],
    ],
  )
})

test('a part of a volume is shown where no container can exchange it before it is mounted', { skip }, async (t) => {
  const { volumes, at, folder, mountedPaths } = stageOf(t)
  const pod = podMounting({ subPathExpr: '$(DAY)/logs' }, { name: 'data' })
  const [app] = pod.spec.containers
  assert.ok(app)
  const mounts = () => volumes.mountsOf(pod, app, new Map([['DAY', 'monday']]))
  await volumes.prepare(pod, FACTS, NEVER)
  const [mount] = await mounts()
  assert.ok(mount)
  const part = at('volumes', 'data', 'monday')
  writeFileSync(join(part, 'logs', 'x'), 'meant')
  // The container runtime opens the path later; until then its neighbour has done this.
  mkdirSync(join(folder, 'host', 'logs'), { recursive: true })
  renameSync(part, `${part}-moved`)
  symlinkSync(join(folder, 'host'), part)
  assert.deepEqual(readdirSync(mount.hostPath), ['x'])
  await assert.rejects(mounts(), (error) => {
    assert.ok(error instanceof Error && 'waiting' in error)
    assert.match(JSON.stringify(error.waiting), /leads out of the volume by a link/)
    return true
  })
  unlinkSync(part)
  renameSync(`${part}-moved`, part)
  assert.deepEqual(await mounts(), [mount])
  assert.equal((await mountedPaths()).length, 1)
})

test('a key that is mounted alone is the new one when its container starts again', { skip }, async (t) => {
  const { volumes, configMaps, mountedPaths } = stageOf(t)
  configMaps.set('shop/settings', configMap({ a: '1' }))
  const pod = podMounting({ subPath: 'a' }, { name: 'data', configMap: { name: 'settings' } })
  const [app] = pod.spec.containers
  assert.ok(app)
  const read = async () => readFileSync((await volumes.mountsOf(pod, app, new Map()))[0]?.hostPath ?? '', 'utf8')
  await volumes.prepare(pod, FACTS, NEVER)
  assert.equal(await read(), '1')
  configMaps.set('shop/settings', configMap({ a: '2' }))
  await volumes.refresh(pod, FACTS, NEVER)
  assert.equal(await read(), '2')
  // A folder where a file was.
  configMaps.set('shop/settings', configMap({ b: '2' }))
  await volumes.refresh(pod, FACTS, NEVER)
  await assert.rejects(read(), { code: 'EISDIR' })
  assert.equal((await mountedPaths()).length, 1)
})

test('after a crash a pod goes with all that is mounted in it, and what of the host was shown there stays', {
  skip,
}, async (t) => {
  const { volumes, restarted, secrets, at, folder, mountedPaths } = stageOf(t)
  secrets.set('shop/login', secret({ user: 'till' }))
  const fast = { name: 'fast', emptyDir: { medium: 'Memory' } }
  const host = join(folder, 'host')
  mkdirSync(host)
  writeFileSync(join(host, 'precious'), 'kept')
  const volumeMounts = [
    { name: 'data', mountPath: '/data', subPath: 'part' },
    { name: 'host', mountPath: '/host', subPath: 'precious' },
    { name: 'fast', mountPath: '/fast' },
    { name: 'login', mountPath: '/login' },
  ]
  const pod = podWith([{ name: 'data' }, fast, LOGIN, { name: 'host', hostPath: { path: host } }], {}, { volumeMounts })
  const [app] = pod.spec.containers
  assert.ok(app)
  await volumes.prepare(pod, FACTS, NEVER)
  await volumes.mountsOf(pod, app, new Map())
  // What a container with Bidirectional propagation leaves: mounts within mounts, twice at one place, with odd names.
  for (const path of [at('volumes', 'data', 'a b'), at('volumes', 'fast', 'in')]) {
    mkdirSync(path)
    await runProgram('mount', ['--bind', host, path])
    await runProgram('mount', ['--bind', host, path])
  }
  symlinkSync(host, at('volumes', 'data', 'link'))
  assert.equal((await mountedPaths()).length, 8)
  await restarted().remove('u-1')
  assert.deepEqual([await mountedPaths(), existsSync(at()), await volumes.present()], [[], false, []])
  assert.deepEqual(readdirSync(host), ['precious'])
  assert.equal(readFileSync(join(host, 'precious'), 'utf8'), 'kept')
  await restarted().remove('u-1')
})

test('where something of the host stays mounted nothing is removed, until it is free', { skip }, async (t) => {
  const { volumes, at, folder } = stageOf(t)
  const host = join(folder, 'host')
  mkdirSync(host)
  writeFileSync(join(host, 'precious'), 'kept')
  await volumes.prepare(podWith([{ name: 'data' }]), FACTS, NEVER)
  const shown = at('volumes', 'data', 'shown')
  mkdirSync(shown)
  writeFileSync(at('volumes', 'data', 'own'), '')
  await runProgram('mount', ['--bind', host, shown])
  const user = spawn('sh', ['-c', 'echo here; read line'], { cwd: shown, stdio: ['pipe', 'pipe', 'inherit'] })
  await once(user.stdout, 'data')
  await assert.rejects(volumes.remove('u-1'), { code: 'EDGED_MOUNT_FAILED' })
  assert.deepEqual([readdirSync(host), existsSync(at('volumes', 'data', 'own'))], [['precious'], true])
  user.stdin.end()
  await once(user, 'close')
  await volumes.remove('u-1')
  assert.deepEqual([readdirSync(host), existsSync(at())], [['precious'], false])
})
