import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import type { JsonObject } from '../../../../schemas/index.ts'
import { temporaryFolder } from '../../../../tools/testing/temporary-folder.ts'
import { Places } from '../../places.ts'
import { ObstacleError } from '../../pod/obstacle.ts'
import { needsLinux } from '../testing/needs-mounts.ts'
import { FACTS, podWith } from '../testing/volumes-stage.ts'
import { createContainerFiles } from './container-files.ts'

const skip = needsLinux()

function stage(spec: JsonObject = {}, container: JsonObject = {}) {
  const folder = temporaryFolder()
  const hostsFile = join(folder, 'hosts')
  writeFileSync(hostsFile, '127.0.0.1 localhost node\n')
  const places = new Places(join(folder, 'edged'), join(folder, 'logs'))
  const files = createContainerFiles({ places, hostsFile })
  const pod = podWith([{ name: 'v' }], spec, container)
  const [app] = pod.spec.containers
  assert.ok(app)
  const mountsOf = (attempt = 0, facts = FACTS) => files.mountsOf(pod, app, attempt, facts)
  return { files, pod, app, places, mountsOf, hostsFile }
}

test('a container finds its pod in /etc/hosts, and the same file when it starts again', { skip }, async () => {
  const { mountsOf } = stage({
    hostname: 'till-a',
    subdomain: 'shops',
    hostAliases: [{ ip: '10.1.1.1', hostnames: ['db'] }],
  })
  const [hosts] = await mountsOf()
  assert.equal(hosts?.containerPath, '/etc/hosts')
  assert.match(
    readFileSync(hosts.hostPath, 'utf8'),
    /^10\.88\.0\.2\ttill-a\.shops\.shop\.svc\.cluster\.local\ttill-a$/m,
  )
  assert.match(readFileSync(hosts.hostPath, 'utf8'), /^10\.1\.1\.1\tdb$/m)
  const before = statSync(hosts.hostPath, { bigint: true })
  await mountsOf(1)
  assert.equal(statSync(hosts.hostPath, { bigint: true }).mtimeNs, before.mtimeNs)
  // A new sandbox has another address; running containers have this very file.
  await mountsOf(1, { ...FACTS, podIps: ['10.88.0.3'] })
  assert.match(readFileSync(hosts.hostPath, 'utf8'), /^10\.88\.0\.3\ttill-a/m)
  assert.equal(statSync(hosts.hostPath, { bigint: true }).ino, before.ino)
  assert.equal((statSync(hosts.hostPath).mode & 0o777).toString(8), '644')
})

test('on the network of the node its file is the base, also where that is a link', { skip }, async () => {
  const { mountsOf, hostsFile } = stage({ hostNetwork: true })
  const [hosts] = await mountsOf()
  assert.ok(hosts)
  assert.match(readFileSync(hosts.hostPath, 'utf8'), /^127\.0\.0\.1 localhost node$/m)
  writeFileSync(`${hostsFile}.real`, '127.0.0.1 other\n')
  unlinkSync(hostsFile)
  symlinkSync(`${hostsFile}.real`, hostsFile)
  await mountsOf()
  assert.match(readFileSync(hosts.hostPath, 'utf8'), /^127\.0\.0\.1 other$/m)
})

test('what the container mounts there itself stands', { skip }, async () => {
  const mounts = (mountPath: string) => stage({}, { volumeMounts: [{ name: 'v', mountPath }] }).mountsOf()
  const paths = async (mountPath: string) => (await mounts(mountPath)).map(({ containerPath }) => containerPath)
  assert.deepEqual(await paths('/data'), ['/etc/hosts', '/dev/termination-log'])
  assert.deepEqual(await paths('/etc//hosts'), ['/dev/termination-log'])
  assert.deepEqual(await paths('/dev/termination-log'), ['/etc/hosts'])
})

test('what a container said at its end is kept of its last two starts', { skip }, async () => {
  const { files, pod, mountsOf } = stage({}, { terminationMessagePath: '/tmp/last' })
  for (const attempt of [0, 1, 2, 10]) {
    const mount = (await mountsOf(attempt)).at(-1)
    assert.equal(mount?.containerPath, '/tmp/last')
    assert.equal((statSync(mount.hostPath).mode & 0o777).toString(8), '666')
    writeFileSync(mount.hostPath, `words of ${attempt}`)
    if (attempt === 2) assert.deepEqual(readdirSync(dirname(mount.hostPath)), ['last-words-1', 'last-words-2'])
  }
  assert.equal(await files.lastWords(pod, 'app', 10), 'words of 10')
  assert.equal(await files.lastWords(pod, 'app', 2), '')
  // Another try with the same attempt keeps what was said.
  await mountsOf(10)
  assert.equal(await files.lastWords(pod, 'app', 10), 'words of 10')
})

test('of what was said only the end is read, and never another file', { skip }, async () => {
  const { files, pod, places, mountsOf } = stage()
  const file = (await mountsOf()).at(-1)?.hostPath ?? ''
  writeFileSync(file, 'begin')
  truncateSync(file, 300_000_000)
  writeFileSync(file, `${'y'.repeat(4094)}ä`, { flag: 'a' })
  assert.equal(await files.lastWords(pod, 'app', 0), `${'y'.repeat(4094)}ä`)
  unlinkSync(file)
  symlinkSync('/etc/passwd', file)
  assert.equal(await files.lastWords(pod, 'app', 0), '')
  await assert.rejects(mountsOf(), ObstacleError)
  await assert.rejects(files.lastWords({ ...pod, uid: '../x' }, 'app', 0), { code: 'EDGED_NAME_NOT_PLAIN' })
  assert.deepEqual(readdirSync(places.pods), ['u-1'])
})

test('an alias that is none keeps the container from starting, with its reason', { skip }, async () => {
  const { mountsOf } = stage({ hostAliases: [{ ip: 'ten', hostnames: ['db'] }] })
  await assert.rejects(mountsOf(), (error) => {
    assert.ok(error instanceof ObstacleError)
    assert.deepEqual(error.waiting, {
      reason: 'CreateContainerConfigError',
      message: 'container app: hostAliases: "ten" is no address',
    })
    return true
  })
})
