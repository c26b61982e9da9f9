import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createLocalBus } from '../../../platform/bus/index.ts'
import { createScope } from '../../../platform/lifecycle/index.ts'
import { silentLogger as log } from '../../../platform/log/index.ts'
import { systemClock as clock, seconds } from '../../../platform/time/index.ts'
import { httpForPods, type JsonObject, type MqttForPods, mqttAccounts, mqttForPods } from '../../../schemas/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { ObstacleError } from '../pod/obstacle.ts'
import { parsePod } from '../pod/parse-pod.ts'
import { createPodAccess } from './create-pod-access.ts'

const GRANTS = { read: ['shop/door'], write: ['shop/lamp-*'] }
const USER = 'pod:shop/till/u-1'

function podOf(spec: JsonObject = {}, uid = 'u-1') {
  const parsed = parsePod({
    metadata: { name: 'till', namespace: 'shop', uid },
    spec: { containers: [{ name: 'app', image: 'till:1' }], ...spec },
  })
  assert.ok('pod' in parsed)
  return parsed.pod
}

/** A node with its broker; `restarted` is the next process on the same files. */
function node(folder = temporaryFolder('skerry-access-')) {
  const bus = createLocalBus(clock, log)
  const access = createPodAccess({ bus, log, folder: join(folder, 'kept'), handouts: join(folder, 'out') })
  const start = async (t: TestContext) => {
    const scope = createScope('PodAccess', { clock, log, deadline: seconds(5), onCrash: assert.ifError })
    t.after(() => scope[Symbol.asyncDispose]())
    await access.start(scope)
  }
  const places: Record<'pod' | 'host', MqttForPods> = {
    pod: { host: '169.254.30.10', port: 1883 },
    host: { host: '::1', port: 1884 },
  }
  const serving = bus.serve(mqttForPods, async ({ network }) => places[network])
  const out = (file: string, uid = 'u-1') => readFile(join(folder, 'out', uid, file), 'utf8')
  return { bus, access, places, serving, start, folder, out, restarted: () => node(folder) }
}

test('a pod gets the address, a name and a file with its password, and the broker its hash', async () => {
  const { bus, access, folder, out } = node()
  const { environment, mounts } = await access.grant(podOf(), GRANTS)
  assert.deepEqual(Object.fromEntries(environment), {
    SKERRY_MQTT_URL: 'mqtt://169.254.30.10:1883',
    SKERRY_MQTT_HOST: '169.254.30.10',
    SKERRY_MQTT_PORT: '1883',
    SKERRY_MQTT_USERNAME: USER,
    SKERRY_MQTT_PASSWORD_FILE: '/var/run/secrets/skerry.io/mqtt/password',
  })
  assert.deepEqual(mounts, [
    { containerPath: '/var/run/secrets/skerry.io/mqtt', hostPath: join(folder, 'out', 'u-1'), readonly: true },
  ])
  const password = await out('password')
  assert.equal(password.length, 43)
  assert.deepEqual(
    [await out('url'), await out('host'), await out('port'), await out('username')],
    ['mqtt://169.254.30.10:1883', '169.254.30.10', '1883', USER],
  )
  const passwordHash = createHash('sha256').update(password).digest('hex')
  assert.deepEqual(bus.get(mqttAccounts, USER), { passwordHash, ...GRANTS })
})

test('on the node nobody else reads a password; in the pod who runs there does', async () => {
  const { access, folder } = node()
  const modeOf = async (...parts: readonly string[]) => (await stat(join(folder, ...parts))).mode & 0o777
  await access.grant(podOf(), GRANTS)
  const modes = [await modeOf('out'), await modeOf('kept'), await modeOf('kept', 'u-1.json')]
  assert.deepEqual(modes, [0o700, 0o700, 0o600])
  assert.equal(await modeOf('out', 'u-1', 'password'), 0o444)
  if (process.getuid?.() !== 0) return
  await access.grant(podOf({ securityContext: { runAsUser: 1234 } }, 'u-2'), GRANTS)
  const { uid, mode } = await stat(join(folder, 'out', 'u-2', 'password'))
  assert.deepEqual([uid, mode & 0o777], [1234, 0o400])
})

test('a pod on the network of the node finds the broker there', async () => {
  const { access } = node()
  const { environment } = await access.grant(podOf({ hostNetwork: true }), GRANTS)
  assert.equal(environment.get('SKERRY_MQTT_URL'), 'mqtt://[::1]:1884')
})

test('a pod is told of the local HTTP API too, with the same password and a name without a colon', async () => {
  const { bus, access, out } = node()
  const answers = [{ host: '::1', port: 9061 }, { refusal: 'it cannot listen' }]
  const serving = bus.serve(httpForPods, async () => answers.shift() ?? { refusal: '' })
  const ofHttp = async () =>
    [...(await access.grant(podOf(), GRANTS)).environment].filter(([name]) => name.startsWith('SKERRY_HTTP_'))
  assert.deepEqual(await ofHttp(), [
    ['SKERRY_HTTP_URL', 'http://[::1]:9061'],
    ['SKERRY_HTTP_USERNAME', 'pod/shop/till/u-1'],
    ['SKERRY_HTTP_PASSWORD_FILE', '/var/run/secrets/skerry.io/mqtt/password'],
  ])
  assert.equal(await out('http-url'), 'http://[::1]:9061')
  assert.deepEqual(await ofHttp(), [])
  await assert.rejects(out('http-url'), { code: 'ENOENT' })
  serving[Symbol.dispose]()
  assert.deepEqual(await ofHttp(), [])
})

test('the password stays while the pod lives: granted again, changed, and over a restart', async (t) => {
  const first = node()
  await first.access.grant(podOf(), GRANTS)
  const password = await first.out('password')
  const account = first.bus.get(mqttAccounts, USER)
  const second = first.restarted()
  assert.equal(second.bus.get(mqttAccounts, USER), undefined)
  await second.start(t)
  assert.deepEqual(second.bus.get(mqttAccounts, USER), account)
  assert.deepEqual(await second.access.present(), ['u-1'])
  second.places.pod = { host: '169.254.30.10', port: 2000 }
  await second.access.grant(podOf(), { read: [], write: ['shop/lamp'] })
  assert.deepEqual([await second.out('password'), await second.out('port')], [password, '2000'])
  assert.deepEqual(second.bus.get(mqttAccounts, USER), { ...account, read: [], write: ['shop/lamp'] })
})

test('a pod that goes leaves nothing, also where it went after a restart', async (t) => {
  const first = node()
  await first.access.grant(podOf(), GRANTS)
  const { bus, access, start, folder } = first.restarted()
  await start(t)
  await access.revoke('u-1')
  await access.revoke('u-1')
  assert.equal(bus.get(mqttAccounts, USER), undefined)
  assert.deepEqual(await access.present(), [])
  assert.deepEqual([await readdir(join(folder, 'kept')), await readdir(join(folder, 'out'))], [[], []])
})

test('a new pod of the same name gets another account', async () => {
  const { access, out } = node()
  await access.grant(podOf(), GRANTS)
  await access.grant(podOf({}, 'u-2'), GRANTS)
  assert.notEqual(await out('password', 'u-1'), await out('password', 'u-2'))
  assert.equal(await out('username', 'u-2'), 'pod:shop/till/u-2')
})

test('a pod that cannot reach the broker waits with the reason for it', async () => {
  const { access, places, serving, folder } = node()
  const waiting = (message: RegExp) => (error: unknown) => {
    assert.ok(error instanceof ObstacleError)
    assert.equal(error.waiting.reason, 'TwinAccessUnavailable')
    assert.match(error.waiting.message, message)
    return true
  }
  await assert.rejects(access.grant({ ...podOf(), uid: '../u-1' }, GRANTS), waiting(/uid/))
  await access.grant(podOf(), GRANTS)
  assert.deepEqual(await readdir(join(folder, 'out')), ['u-1'])
  places.pod = { refusal: 'there is no address' }
  await assert.rejects(access.grant(podOf(), GRANTS), waiting(/there is no address/))
  serving[Symbol.dispose]()
  await assert.rejects(access.grant(podOf(), GRANTS), waiting(/cannot be asked/))
})

test('a damaged file costs its pod the password and nothing else', async (t) => {
  const first = node()
  await first.access.grant(podOf(), GRANTS)
  const password = await first.out('password')
  await writeFile(join(first.folder, 'kept', 'u-1.json'), '{')
  const { access, start, out } = first.restarted()
  await start(t)
  await access.grant(podOf(), GRANTS)
  assert.notEqual(await out('password'), password)
})
