import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { parseDocument } from 'yaml'
import { needs } from '../../../tools/testing/needs.ts'
import { needsContainerd, startContainerd, TEST_IMAGE, type TestContainerd } from '../../edged/testing/containerd.ts'
import { unmountIn } from '../../edged/testing/power-off.ts'
import { packageClosure } from '../testing/package-closure.ts'
import { eventually } from '../testing/run.ts'
import { type RunningUp, startUp, temporaryDirectory } from '../testing/up.ts'
import { packageRoot } from '../version.ts'

const APPS = join(packageRoot, 'samples', 'apps')

describe('the apps of samples/, deployed with kubectl', {
  skip: needsContainerd() || needs('kubectl', 'mosquitto_sub'),
  concurrency: 1,
}, () => {
  let up: RunningUp
  let containerd: TestContainerd

  before(async () => {
    containerd = await startContainerd({ subnet: '10.233.77.0/24' })
    await containerd.addImage({
      name: 'docker.io/library/eclipse-mosquitto:2',
      programs: ['/usr/bin/mosquitto_sub', '/usr/bin/mosquitto_pub'],
    })
    const modules = [...packageClosure(join(packageRoot, 'node_modules'), 'mqtt')]
    await containerd.addImage({
      name: 'docker.io/skerry-samples/fan:1',
      programs: [process.execPath],
      cmd: ['node', '/app/app.js'],
      files: {
        '/app/app.js': join(APPS, 'fan', 'app.js'),
        '/app/package.json': join(APPS, 'fan', 'package.json'),
        ...Object.fromEntries(modules.map(([name, folder]) => [`/app/node_modules/${name}`, folder])),
      },
    })
    await containerd.addImage({ name: 'docker.io/library/node:24-slim', programs: [process.execPath] })
    up = await startUp(temporaryDirectory())
    const file = join(up.directory, 'edge', 'config.yaml')
    const config = parseDocument(await readFile(file, 'utf8'))
    config.setIn(['edged', 'runtime'], containerd.socket)
    await writeFile(file, config.toString())
    await works('skerry', 'stop', 'edge')
    await works('skerry', 'start', 'edge')
  })
  after(async () => {
    await up?.stop()
    await containerd?.[Symbol.asyncDispose]()
    if (up) await unmountIn([up.directory])
  })

  const works = async (program: 'kubectl' | 'skerry', ...args: readonly string[]) => {
    const ran = await up[program](...args)
    assert.equal(ran.code, 0, `${program} ${args.join(' ')}\n${ran.stdout}${ran.stderr}`)
    return ran.stdout
  }
  const deploy = async (name: string) => {
    await works('kubectl', 'apply', '--validate=strict', '-f', join(APPS, name, 'app.yaml'))
    const ran = await up.kubectl('rollout', 'status', `deployment/${name}`, '--timeout=180s')
    if (ran.code === 0) return
    const pods = await up.kubectl('describe', 'pods', '-l', `app=${name}`)
    assert.fail(`${ran.stdout}${ran.stderr}\n${pods.stdout}`)
  }
  /** What a property of a device says now. */
  const reported = async (device: string, property: string) => {
    const path = `{.status.twins[?(@.propertyName=="${property}")].reported.value}`
    return works('kubectl', 'get', 'device', device, '-o', `jsonpath=${path}`)
  }
  const until = (what: string, isSo: () => Promise<boolean>) =>
    eventually(what, async () => ((await isSo()) ? true : undefined), 120_000)
  const accounts = () => readdir(join(up.directory, 'edge', 'edged', 'accounts'))
  const logOf = async () => readFile(join(up.directory, 'logs', 'edge.log'), 'utf8')

  it('the shell app reads the boiler and drives the pump', { timeout: 400_000 }, async () => {
    await deploy('circulation')
    await until('the pump has a speed', async () => Number(await reported('pump-1', 'targetSpeed')) > 0)
  })

  it('the Node.js app reads the pump and drives the plug', { timeout: 400_000 }, async () => {
    await deploy('fan')
    await until('the plug follows the pump', async () => {
      const isFast = Number(await reported('pump-1', 'speed')) >= 1000
      return (await reported('plug-1', 'relay')) === String(isFast)
    })
    // The water cools down, and the fan with it.
    const patch = [{ op: 'add', path: '/spec/properties/0/desired', value: { value: '40' } }]
    await works('kubectl', 'patch', 'device', 'boiler-1', '--type=json', '-p', JSON.stringify(patch))
    await works('kubectl', 'scale', 'deployment/circulation', '--replicas=0')
    const stop = [{ op: 'add', path: '/spec/properties/3/desired', value: { value: 'false' } }]
    await works('kubectl', 'patch', 'device', 'pump-1', '--type=json', '-p', JSON.stringify(stop))
    await until('the fan is off', async () => (await reported('plug-1', 'relay')) === 'false')
  })

  it('the app without a library follows the boiler over HTTP and limits the plug', { timeout: 400_000 }, async () => {
    await deploy('limiter')
    await until('the plug has the limit of the burner', async () => {
      const isBurning = (await reported('boiler-1', 'burner')) === 'true'
      return (await reported('plug-1', 'limit')) === (isBurning ? '500' : '2000')
    })
    await works('kubectl', 'scale', 'deployment/limiter', '--replicas=0')
  })

  it('a pod without a client of MQTT asks with wget, and sees no more than its twins', {
    timeout: 200_000,
  }, async () => {
    const script = `
      account=$(printf %s "$SKERRY_HTTP_USERNAME:$(cat "$SKERRY_HTTP_PASSWORD_FILE")" | busybox base64 -w 0)
      ask() { wget -q -O - --header "authorization: Basic $account" "$SKERRY_HTTP_URL$1" 2>&1; }
      { ask /v1/devices/default/boiler-1; wget -q -O - "$SKERRY_HTTP_URL/v1/devices" 2>&1
        ask /v1/devices/default/pump-1/properties/speed; } > /dev/termination-log`
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'asker', namespace: 'default', annotations: { 'twins.skerry.io/read': 'pump-1' } },
      spec: {
        restartPolicy: 'Never',
        containers: [{ name: 'app', image: TEST_IMAGE, imagePullPolicy: 'Never', command: ['sh', '-c', script] }],
      },
    }
    const file = join(up.directory, 'asker.json')
    await writeFile(file, JSON.stringify(pod))
    await works('kubectl', 'apply', '-f', file)
    const ended = '{.status.containerStatuses[0].state.terminated.message}'
    const said = await eventually('it has asked', async () => {
      const text = await works('kubectl', 'get', 'pod', 'asker', '-o', `jsonpath=${ended}`)
      return text === '' ? undefined : text
    })
    assert.match(said, /404 Not Found[\s\S]*401 Unauthorized[\s\S]*"unit":"rpm"/)
    await works('kubectl', 'delete', 'pod', 'asker', '--wait=false')
  })

  it('the accounts of apps that went are gone, and no log has a password', { timeout: 200_000 }, async () => {
    await until('one account is left', async () => (await accounts()).length === 1)
    const [left = ''] = await accounts()
    const account: { user: string; password: string } = JSON.parse(
      await readFile(join(up.directory, 'edge', 'edged', 'accounts', left), 'utf8'),
    )
    assert.match(account.user, /^pod:default\/fan-/)
    const pod = account.user.split('/')[1] ?? ''
    const shown = await works('kubectl', 'get', 'pod', pod, '-o', 'yaml')
    for (const text of [await logOf(), shown]) assert.ok(!text.includes(account.password))
  })

  it('a pod that asks for what it may not have waits, and says why', { timeout: 200_000 }, async () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'greedy',
        namespace: 'default',
        annotations: { 'twins.skerry.io/write': 'plant/valve-1' },
      },
      spec: { containers: [{ name: 'app', image: 'skerry-samples/fan:1', imagePullPolicy: 'Never' }] },
    }
    const file = join(up.directory, 'greedy.json')
    await writeFile(file, JSON.stringify(pod))
    await works('kubectl', 'apply', '-f', file)
    const waiting = '{.status.containerStatuses[0].state.waiting}'
    const said = await eventually('the pod waits', async () => {
      const text = await works('kubectl', 'get', 'pod', 'greedy', '-o', `jsonpath=${waiting}`)
      return text.includes('InvalidTwinAccess') ? text : undefined
    })
    assert.match(said, /plant\/valve-1.*another namespace/)
    await works('kubectl', 'delete', 'pod', 'greedy', '--wait=false')
  })

  it('skerry doctor finds nothing wrong with it all', { timeout: 200_000 }, async () => {
    const ran = await up.skerry('doctor', '-o', 'json')
    const { findings }: { findings: { check: string; outcome: string; message: string }[] } = JSON.parse(ran.stdout)
    assert.deepEqual(
      findings.filter(({ outcome }) => outcome === 'fail'),
      [],
    )
    assert.equal(ran.code, 0, ran.stderr)
    const isOk = (check: string, message: RegExp) =>
      findings.some((each) => each.check === check && each.outcome === 'ok' && message.test(each.message))
    assert.ok(isOk('containers', /^containerd .* answers/), ran.stdout)
    assert.ok(isOk('containers', /network for pods/), ran.stdout)
    assert.ok(isOk('broker', /answers/), ran.stdout)
    assert.ok(isOk('hub', /^connected to/), ran.stdout)
    assert.ok(isOk('pods', /pods find the broker at 169\.254\.30\.10/), ran.stdout)
  })

  it('an app runs on over a restart of the edge, and reaches the broker again', { timeout: 400_000 }, async () => {
    const state =
      '{.items[0].status.containerStatuses[0].containerID} {.items[0].status.containerStatuses[0].restartCount}'
    const container = () => works('kubectl', 'get', 'pods', '-l', 'app=fan', '-o', `jsonpath=${state}`)
    const before = await container()
    await works('skerry', 'stop', 'edge')
    await works('skerry', 'start', 'edge')
    const go = [
      { op: 'add', path: '/spec/properties/0/desired', value: { value: '2000' } },
      { op: 'add', path: '/spec/properties/3/desired', value: { value: 'true' } },
    ]
    await works('kubectl', 'patch', 'device', 'pump-1', '--type=json', '-p', JSON.stringify(go))
    await until('the fan is on', async () => (await reported('plug-1', 'relay')) === 'true')
    assert.equal(await container(), before)
  })
})
