import assert from 'node:assert/strict'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { needs } from '../../../tools/testing/needs.ts'
import { registerOf, untilDeviceField } from '../testing/pump.ts'
import { eventually, run } from '../testing/run.ts'
import { type RunningUp, startUp, temporaryDirectory } from '../testing/up.ts'

describe('kubectl on the gateway', { skip: needs('kubectl', 'mbpoll') }, () => {
  const directory = temporaryDirectory()
  let up: RunningUp
  let kubeconfig = ''

  before(async () => {
    up = await startUp(directory)
    await untilDeviceField(up, '{.status.state}', 'online')
    const made = await up.skerry('kubeconfig', '-o', 'json')
    assert.equal(made.code, 0, made.stderr)
    kubeconfig = JSON.parse(made.stdout).file
  })
  after(() => up.stop())

  const atNode = (...command: readonly string[]) => run('kubectl', ['--kubeconfig', kubeconfig, ...command])
  const part = async (verb: 'stop' | 'start', name: 'cloud' | 'edge') => {
    const ran = await up.skerry(verb, name)
    assert.equal(ran.code, 0, ran.stderr)
  }
  const shows = async (jsonpath: string, wanted: RegExp) =>
    await eventually(`pump-1 shows ${wanted}`, async () => {
      const { stdout } = await atNode('get', 'device', 'pump-1', '-o', `jsonpath=${jsonpath}`)
      return wanted.test(stdout) ? stdout : undefined
    })

  it('has a kubeconfig of its own, which others cannot read', async () => {
    assert.equal((await stat(kubeconfig)).mode & 0o777, 0o600)
    assert.match(
      await readFile(join(directory, 'endpoints.json'), 'utf8'),
      /"metaserver": "https:\/\/127\.0\.0\.1:\d+"/,
    )
  })

  it('sees the devices and the Node as they are', async () => {
    await shows('{.status.state}', /^online$/)
    const { stdout, stderr } = await atNode('get', 'nodes,devicemodels,devices', '-o', 'wide')
    assert.match(stdout, /node\/edge-1 +Ready/, stderr)
    assert.match(stdout, /device\.devices\.kubeedge\.io\/pump-1 +edge-1 +modbus +online/)
  })

  it('asks the cloud for the rest, and changes the cluster, with the token and the rights of the caller', async () => {
    const token = (await up.kubectl('create', 'token', 'default')).stdout.trim()
    const asDefault = (...command: readonly string[]) => atNode('--token', token, ...command)
    const refused = await asDefault('get', 'services')
    assert.match(refused.stderr, /User "system:serviceaccount:default:default" cannot list resource "services"/)
    const bound = ['--clusterrole', 'edit', '--serviceaccount', 'default:default']
    assert.equal((await up.kubectl('create', 'rolebinding', 'default-edits', ...bound)).code, 0)
    const { stdout, stderr } = await asDefault('get', 'services')
    assert.match(stdout, /kubernetes +ClusterIP/, stderr)
    const made = await asDefault('create', 'configmap', 'from-the-node', '--from-literal', 'a=b')
    assert.equal(made.code, 0, made.stderr)
    assert.equal((await up.kubectl('get', 'configmap', 'from-the-node', '-o', 'jsonpath={.data.a}')).stdout, 'b')
    assert.match((await atNode('delete', 'configmap', 'from-the-node')).stderr, /is known on this node alone/)
  })

  it('goes on without the cloud: values change, a desired value reaches the device, the cluster is refused', async () => {
    await part('stop', 'cloud')
    await eventually('the edge knows', async () =>
      /the cloud is not connected/.test((await atNode('get', 'deployments')).stderr) ? true : undefined,
    )
    const spec = JSON.parse((await atNode('get', 'device', 'pump-1', '-o', 'json')).stdout).spec
    const index = spec.properties.findIndex(({ name }: { readonly name: string }) => name === 'targetSpeed')
    const change = [{ op: 'add', path: `/spec/properties/${index}/desired`, value: { value: '777' } }]
    const patched = await atNode('patch', 'device', 'pump-1', '--type', 'json', '-p', JSON.stringify(change))
    assert.equal(patched.code, 0, patched.stderr)
    await eventually('the register holds 777', async () => ((await registerOf(up)) === 777 ? true : undefined), 20_000)
    await shows('{.status.twins[?(@.propertyName=="targetSpeed")].reported.value}', /^777$/)
    assert.match((await atNode('delete', 'device', 'pump-1')).stderr, /the cloud is not connected/)
  })

  it('is the same after a restart of the edge without the cloud', async () => {
    const before = Number(
      (await atNode('get', 'device', 'pump-1', '-o', 'jsonpath={.metadata.resourceVersion}')).stdout,
    )
    await part('stop', 'edge')
    await part('start', 'edge')
    await shows('{.spec.properties[*].desired.value}', /777/)
    const now = Number((await atNode('get', 'device', 'pump-1', '-o', 'jsonpath={.metadata.resourceVersion}')).stdout)
    assert.ok(now > before)
  })

  it('tells the cloud when it is back', async () => {
    await part('start', 'cloud')
    const desired = '{.status.twins[?(@.propertyName=="targetSpeed")].observedDesired}'
    const told = JSON.parse(await untilDeviceField(up, desired, /"value":"777"/))
    assert.deepEqual([told.metadata.origin, told.metadata.author], ['edge', 'user:skerry:node-operator:edge-1'])
  })
})
