import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { needs } from '../../../tools/testing/needs.ts'
import { eventually, run } from '../testing/run.ts'
import { launcher, type RunningUp, startUp, temporaryDirectory } from '../testing/up.ts'
import { callKubernetes, parseKubeAccess } from '../up/kubernetes-apply.ts'
import { packageRoot } from '../version.ts'

describe('skerry up', () => {
  let up: RunningUp
  let elsewhere: string

  before(async () => {
    elsewhere = temporaryDirectory()
    up = await startUp(temporaryDirectory())
  })

  after(() => up.stop())

  it('status --wait answers with every module ready', async () => {
    const ran = await up.skerry('status', '--wait', '60s')
    assert.equal(ran.code, 0, ran.stdout + ran.stderr)
    for (const module of [
      'KubernetesApi',
      'CloudHub',
      'DeviceController',
      'DeviceTwin',
      'MapperHost',
      'MetaManager',
      'EdgeHub',
    ]) {
      assert.match(ran.stdout, new RegExp(`${module} +ready`))
    }
  })

  it('keeps its data and secrets to its user', async () => {
    assert.equal((await stat(up.directory)).mode & 0o777, 0o700)
    for (const file of ['kubeconfig', 'endpoints.json', 'edge/pki/server.key']) {
      assert.equal((await stat(join(up.directory, file))).mode & 0o777, 0o600, file)
    }
  })

  it('refuses a second one on the same directory, naming the first', async () => {
    const ran = await run(process.execPath, [launcher, 'up', '--data', up.directory, '--ports', 'auto'])
    assert.equal(ran.code, 1)
    assert.match(ran.stderr, new RegExp(`${up.child.pid}`))
    assert.equal(ran.stderr.trim().split('\n').length, 1)
  })

  it('names a port that is taken, and the way out', async () => {
    const port = new URL(up.endpoints.mqtt ?? '').port
    const config = join(elsewhere, 'up.yaml')
    await writeFile(
      config,
      `ports: {mqtt: ${port}, mqttWebsocket: 0, apiserver: 0, cloudhub: 0, certificates: 0, metricsCloud: 0, metricsEdge: 0, servicebus: 0, metaserver: 0, pump: 0, opcua: 0}\n`,
    )
    const ran = await run(process.execPath, [launcher, 'up', '--data', join(elsewhere, 'a'), '--config', config])
    assert.equal(ran.code, 1)
    assert.match(ran.stderr, new RegExp(`${port}.*--ports auto`))
  })

  it('names the wrong key of a configuration', async () => {
    const config = join(elsewhere, 'wrong.yaml')
    await writeFile(config, 'node: edge-1\nports:\n  mqtt: often\n')
    const ran = await run(process.execPath, [launcher, 'up', '--data', join(elsewhere, 'b'), '--config', config])
    assert.equal(ran.code, 1)
    assert.match(ran.stderr, /wrong\.yaml:3.*ports\.mqtt/)
  })

  it('serves metrics and health of both halves', async () => {
    for (const base of [up.endpoints.metrics?.cloud, up.endpoints.metrics?.edge]) {
      assert.equal((await fetch(`${base}/healthz`)).status, 200)
      assert.equal((await fetch(`${base}/readyz`)).status, 200)
      assert.match(await (await fetch(`${base}/metrics`)).text(), /^skerry_/m)
    }
  })

  it('its last lines work when pasted', { skip: needs('kubectl', 'mosquitto_pub', 'curl') }, async () => {
    const match = /^\{"ready":true.*$/m.exec(up.output.stdout())
    const { hints }: { hints: { what: string; command: string }[] } = JSON.parse(match?.[0] ?? '{}')
    const commands = hints.map((hint) => hint.command).filter((command) => !command.startsWith('npx '))
    assert.ok(commands.length >= 7)
    await eventually('the pump is online', async () =>
      (await up.kubectl('get', 'device', 'pump-1', '-o', 'jsonpath={.status.state}')).stdout === 'online'
        ? true
        : undefined,
    )
    const script = commands
      .map((command) => (command.startsWith('mosquitto_sub') ? `${command} -C 1 -W 10` : command))
      .join(' &&\n')
    const ran = await run('bash', ['-c', script], { env: { HOME: up.directory }, timeoutMs: 60_000 })
    assert.equal(ran.code, 0, `${script}\n${ran.stdout}\n${ran.stderr}`)
  })

  it('a sample for a device that is not there is accepted, and offline', { skip: needs('kubectl') }, async () => {
    const meter = join(packageRoot, 'samples', 'meter')
    const applied = await up.kubectl('apply', '-f', join(meter, 'model.yaml'), '-f', join(meter, 'device.yaml'))
    assert.equal(applied.code, 0, applied.stderr)
    for (const condition of ['Accepted', 'Online=False', 'Synced=False']) {
      const ran = await up.kubectl('wait', `--for=condition=${condition}`, 'device/meter-1', '--timeout=15s')
      assert.equal(ran.code, 0, `${condition}: ${ran.stderr}`)
    }
    assert.equal((await up.kubectl('delete', 'device', 'meter-1', '--timeout=15s')).code, 0)
  })

  it('another directory runs beside it, and both stop cleanly', async () => {
    const other = await startUp(join(elsewhere, 'other'))
    const pids = await Promise.all(
      ['cloud', 'edge', 'pump', 'boiler', 'balance', 'plug'].map((part) => other.pid(part)),
    )
    const closed = once(other.child, 'close')
    other.child.kill('SIGINT')
    await closed
    assert.equal(other.child.exitCode, 0, other.output.stderr())
    for (const pid of pids) assert.throws(() => process.kill(pid, 0))
    assert.equal((await up.skerry('status')).code, 0)
  })

  it('refuses an edge of another cloud instead of waiting for one that is gone', async () => {
    const directory = join(elsewhere, 'other')
    await rm(join(directory, 'cloud'), { recursive: true })
    const ran = await run(process.execPath, [launcher, 'up', '--data', directory, '--ports', 'auto'])
    assert.equal(ran.code, 1)
    assert.match(ran.stderr, /belongs to another cloud.*remove the edge folder/)
    await rm(join(directory, 'edge'), { recursive: true })
    const anew = await startUp(directory)
    const device = await callKubernetes(
      parseKubeAccess(await readFile(anew.endpoints.kubeconfig ?? '', 'utf8')),
      'GET',
      '/apis/devices.kubeedge.io/v1beta1/namespaces/default/devices/pump-1',
    )
    assert.equal(device.status, 200)
    await anew.stop()
  })
})
