import assert from 'node:assert/strict'
import { readFile, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { connectAsync } from 'mqtt'
import { readBody } from '../../../platform/http/index.ts'
import { needs } from '../../../tools/testing/needs.ts'
import { Fleet, type Half, publish } from '../testing/fleet.ts'
import { eventually } from '../testing/run.ts'

describe('rules between the cloud and a node', { skip: needs('kubectl') }, () => {
  let fleet: Fleet
  let edge: Half
  let ca: string
  let status = 418
  const got: { readonly url: string | undefined; readonly method: string | undefined; readonly body: string }[] = []
  const service = createServer((incoming, response) => {
    void readBody(incoming, 1_000_000).then((body) => {
      got.push({ url: incoming.url, method: incoming.method, body: body.toString() })
      response.writeHead(status, { 'x-service': 'here' })
      response.end('tea')
    })
  })
  const portOf = () => {
    const address = service.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }
  const sample = (file: string) => readFile(`samples/rules/${file}.yaml`, 'utf8')
  const apply = async (text: string) => {
    const ran = await fleet.kubectl(['apply', '-f', '-'], text)
    assert.equal(ran.code, 0, ran.stderr)
  }
  const token = async (account: string) => (await fleet.kubectl(['create', 'token', account])).stdout.trim()
  const call = (path: string, bearer: string, body: string) =>
    new Promise<{
      readonly status: number | undefined
      readonly body: string
      readonly headers: IncomingMessage['headers']
    }>((resolve, reject) => {
      const headers = { authorization: `Bearer ${bearer}` }
      const outgoing = request(
        `${fleet.cloud.endpoints.router}${path}`,
        { method: 'POST', ca, headers, agent: false },
        (answer) => {
          readBody(answer, 1_000_000).then(
            (bytes) => resolve({ status: answer.statusCode, body: bytes.toString(), headers: answer.headers }),
            reject,
          )
        },
      )
      outgoing.on('error', reject)
      outgoing.end(body)
    })

  const untilAtEdge = (what: string, wanted: { readonly waiting: number; readonly kept: number }) =>
    eventually(what, async () => {
      const [waiting, kept] = await Promise.all(
        ['waiting', 'kept'].map((each) => edge.metric(`skerry_edgehub_user_${each}`)),
      )
      return (waiting === wanted.waiting && kept === wanted.kept) || undefined
    })

  before(async () => {
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
    fleet = await Fleet.start()
    edge = await fleet.join('edge-1', undefined, {
      serviceBus: { listener: { port: 0 }, services: [{ port: portOf() }] },
    })
    ca = await readFile(join(edge.directory, 'pki', 'rootCA.crt'), 'utf8')
    await apply((await sample('endpoints')).replace('8080', String(portOf())))
    for (const file of ['lights', 'thermostat', 'caller']) await apply(await sample(file))
    await apply((await sample('doors')).replace('https://shop.example/doors', `http://127.0.0.1:${portOf()}/doors`))
    for (const name of ['lights', 'thermostat', 'doors'])
      await fleet.untilField('rule', name, '{.status.conditions[0].status}', 'True')
  })
  after(async () => {
    service.close()
    await fleet[Symbol.asyncDispose]()
  })

  it('publishes at the edge for who may call the rule, and for nobody else', async () => {
    const client = await connectAsync(edge.endpoints.mqtt ?? '', { reconnectPeriod: 0 })
    const heard: string[] = []
    client.on('message', (topic, payload) => heard.push(`${topic} ${payload.toString()}`))
    await client.subscribeAsync('lights/#', { qos: 1 })
    const bearer = await token('light-switch')
    const answer = await eventually('the edge has it', async () => {
      const said = await call('/edge-1/default/lights/hall', bearer, 'on')
      if (said.status === 200) return said
      throw new Error(`${said.status} ${said.body}`)
    })
    assert.equal(answer.body, 'message delivered')
    await eventually('the client has it', async () => heard.includes('lights/cmd/hall on') || undefined)
    await client.endAsync()
    assert.equal((await call('/edge-1/default/thermostat/x', bearer, '')).status, 403)
    assert.equal((await call('/edge-1/default/lights', 'no token', 'on')).status, 401)
    assert.equal((await call('/edge-9/default/lights', bearer, 'on')).status, 503)
  })

  it('calls a service of the node with the rights of an administrator', async () => {
    await apply(
      'apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: all, namespace: default}\n' +
        'roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\n' +
        'subjects: [{kind: ServiceAccount, name: default, namespace: default}]\n',
    )
    const answer = await eventually('the service has answered', async () => {
      const said = await call('/edge-1/default/thermostat/now?unit=K', await token('default'), 'hello')
      if (said.status === 418) return said
      throw new Error(`${said.status} ${said.body}`)
    })
    assert.deepEqual([answer.body, answer.headers['x-service']], ['tea', 'here'])
    assert.deepEqual(got.at(-1), { url: '/now?unit=K', method: 'POST', body: 'hello' })
  })

  it('posts what is published at the edge, and shows what the service refused as a dead letter', async () => {
    await publish(edge, 'default/doors/1', 'open')
    await eventually(
      'the service has it',
      async () => got.some(({ url, body }) => url === '/doors' && body === 'open') || undefined,
    )
    await fleet.untilField('rule', 'doors', '{.status.deadLetters[0].reason}', 'the target answered with 418')
  })

  it('delivers what waited in a cloud half that was killed and lost its disk', async () => {
    status = 503
    await publish(edge, 'default/doors/2', 'lost?')
    await untilAtEdge('the cloud has it, and the edge keeps it', { waiting: 0, kept: 1 })
    await fleet.cloud.end('SIGKILL')
    for (const end of ['', '-wal', '-shm']) await rm(join(fleet.cloud.directory, `router.db${end}`), { force: true })
    status = 204
    const before = got.length
    await fleet.cloud.start()
    await eventually(
      'the service has it',
      async () => got.slice(before).some(({ body }) => body === 'lost?') || undefined,
    )
    await untilAtEdge('the edge keeps it no more', { waiting: 0, kept: 0 })
    assert.equal(got.slice(before).filter(({ body }) => body === 'lost?').length, 1)
  })

  it('delivers once what an edge kept that was killed before it was told that it is done', async () => {
    status = 503
    await publish(edge, 'default/doors/3', 'twice?')
    await untilAtEdge('the cloud has it, and the edge keeps it', { waiting: 0, kept: 1 })
    await edge.end('SIGKILL')
    status = 204
    const before = got.length
    await edge.start()
    await untilAtEdge('the edge knows that it is done', { waiting: 0, kept: 0 })
    assert.equal(got.slice(before).filter(({ body }) => body === 'twice?').length, 1)
  })

  it('refuses a wrong rule with the field', async () => {
    const wrong = (await sample('lights'))
      .replace('name: lights', 'name: wrong')
      .replace('topic: lights/cmd', 'subject: x')
    await eventually('admission is registered', async () => {
      const ran = await fleet.kubectl(['create', '--dry-run=server', '-f', '-'], wrong)
      if (/targetResource.topic/.test(ran.stderr)) return true
      throw new Error(ran.stderr)
    })
  })
})
