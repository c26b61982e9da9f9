import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { connectAsync } from 'mqtt'
import { readBody } from '../../../platform/http/index.ts'
import { needs } from '../../../tools/testing/needs.ts'
import { commandsOf } from '../testing/page.ts'
import { eventually, type Ran, run } from '../testing/run.ts'
import { type RunningUp, startUp, temporaryDirectory } from '../testing/up.ts'
import { packageRoot } from '../version.ts'

describe('the pages about rules', { skip: needs('curl', 'kubectl', 'mosquitto_pub') }, () => {
  let up: RunningUp
  let target: string
  const got: string[] = []
  const heard: string[] = []
  const service = createServer((request, response) => {
    void readBody(request, 1_000_000).then((body) => {
      got.push(`${request.method} ${request.url} ${body.toString()}`)
      response.end('thanks')
    })
  })

  before(async () => {
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
    const address = service.address()
    target = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
    up = await startUp(temporaryDirectory())
    await writeFile(join(up.directory, 'order.json'), '{"id":1}')
    const client = await connectAsync(up.endpoints.mqtt ?? '', { reconnectPeriod: 0 })
    client.on('message', (topic, payload) => heard.push(`${topic} ${payload.toString()}`))
    await client.subscribeAsync(['lights/#', 'alarm/#'], { qos: 1 })
    stop = async () => {
      await client.endAsync()
      await up.stop()
      service.close()
    }
  })
  let stop: () => Promise<unknown> = async () => service.close()
  after(() => stop())

  /** Lines as somebody pastes them, with the ports of this run. */
  function paste(lines: readonly string[]): Promise<Ran> {
    const { router = '', servicebus = '', kubeconfig = '' } = up.endpoints
    const text = lines
      .join('\n')
      .replaceAll('https://127.0.0.1:9443', router)
      .replaceAll('http://127.0.0.1:9060', servicebus)
      .replaceAll('http://shop.example', target)
      .replaceAll('rootCA.crt', join(up.directory, 'edge', 'pki', 'rootCA.crt'))
      .replaceAll('@order.json', `@${join(up.directory, 'order.json')}`)
    return run('bash', ['-ec', text], { cwd: packageRoot, env: { KUBECONFIG: kubeconfig, HOME: up.directory } })
  }

  async function apply(text: string): Promise<void> {
    const env = { KUBECONFIG: up.endpoints.kubeconfig ?? '', HOME: up.directory }
    const ran = await run('kubectl', ['apply', '-f', '-'], { input: text, env })
    assert.equal(ran.code, 0, ran.stderr)
  }

  async function say(topic: string, text: string): Promise<void> {
    const { hostname, port } = new URL(up.endpoints.mqtt ?? '')
    const ran = await run('mosquitto_pub', ['-h', hostname, '-p', port, '-q', '1', '-t', topic, '-m', text])
    assert.equal(ran.code, 0, ran.stderr)
  }

  const sample = async (name: string) =>
    (await readFile(join(packageRoot, 'samples', 'rules', `${name}.yaml`), 'utf8')).replace(
      'https://shop.example',
      target,
    )

  it('have lines by which a call from the cloud is published at the edge', async () => {
    const lines = await commandsOf('docs/how-to/call-the-edge-from-the-cloud.md')
    assert.equal(lines.length, 5)
    await eventually('the edge has the message', async () => {
      const ran = await paste(lines)
      if (/message delivered$/.test(ran.stdout)) return true
      throw new Error(`${ran.stdout} ${ran.stderr}`)
    })
    await eventually('a client has heard it', async () => heard.includes('lights/cmd/hall on') || undefined)
  })

  it('have a sample by which what the edge says goes to a web service, and one by which it goes to a node', async () => {
    await apply(await sample('doors'))
    await apply((await sample('alarm')).replace('edge-2', 'edge-1'))
    await eventually('the service has it', async () => {
      // A rule takes a moment to reach the edge.
      await say('default/doors/1', 'open')
      return got.includes('POST /doors open') || undefined
    })
    await eventually('the other topic has it', async () => {
      await say('default/alarm', 'ring')
      return heard.includes('alarm/hall ring') || undefined
    })
  })

  it('have lines by which an application at the edge calls a web service, waits for it or leaves it to be sent', async () => {
    const page = 'docs/how-to/call-the-cloud-from-the-edge.md'
    const [, manifest = ''] = /```yaml\n(apiVersion.*?)```/s.exec(await readFile(join(packageRoot, page), 'utf8')) ?? []
    await apply('{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}')
    await apply(manifest.replaceAll('http://shop.example', target))
    const lines = await commandsOf(page)
    const [list = '', call = '', store = ''] = lines
    await eventually(
      'the edge knows the rule',
      async () => (await paste([list])).stdout.includes('"name":"orders"') || undefined,
    )
    assert.equal((await paste([call])).stdout, 'thanks')
    assert.deepEqual(
      got.filter((each) => each.includes('/orders')),
      ['POST /orders {"id":1}'],
    )
    assert.match((await paste([store])).stdout, /"message":"stored/)
    await eventually(
      'the service has the stored one',
      async () => got.filter((each) => each === 'POST /orders {"id":1}').length === 2 || undefined,
    )
    const [, old = ''] = /```sh\n(curl -s -d .*?)\n```/s.exec(await readFile(join(packageRoot, page), 'utf8')) ?? []
    assert.match(
      (await paste([old])).stdout,
      /^\{"code":200,"msg":"receive response from cloud successfully","body":"thanks"\}$/m,
    )
    assert.equal(lines.length, 4)
  })

  it('have a sample by which a call from the cloud reaches a service of the node that its operator allows', async () => {
    const file = join(up.directory, 'edge', 'config.yaml')
    const config = await readFile(file, 'utf8')
    const { port } = new URL(target)
    await writeFile(
      file,
      config.replace(/^serviceBus:/m, `serviceBus:\n  services:\n    - port: ${port}\n      paths: [/status]`),
    )
    assert.equal((await up.skerry('stop', 'edge')).code, 0)
    assert.equal((await up.skerry('start', 'edge')).code, 0)
    await apply((await sample('endpoints')).replace('8080', port))
    await apply(await sample('thermostat'))
    await apply(
      'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: callers}\n' +
        'roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\n' +
        'subjects: [{kind: ServiceAccount, name: default, namespace: default}]\n',
    )
    const call = (path: string) =>
      paste([
        'TOKEN=$(kubectl create token default)',
        `curl -s --cacert rootCA.crt -H "Authorization: Bearer $TOKEN" https://127.0.0.1:9443/edge-1/default/thermostat/${path} -d now`,
      ])
    await eventually('the service has answered', async () => {
      const { stdout } = await call('status?unit=K')
      if (stdout === 'thanks') return true
      throw new Error(stdout)
    })
    assert.ok(got.includes('POST /status?unit=K now'))
    assert.match((await call('other')).stdout, /HUB_SERVICE_PATH_REFUSED/)
  })
})
