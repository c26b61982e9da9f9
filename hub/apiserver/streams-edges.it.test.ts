import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { WebSocket } from 'ws'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { asPerson } from './testing/people.ts'
import { ask } from './testing/request.ts'
import { type ServedApi, serveApi, serveTestApi } from './testing/serve.ts'
import { type PlayedKubelet, podAtKubelet, serveKubelet } from './testing/served-kubelet.ts'

const POD = '/api/v1/namespaces/default/pods/web'
const EXEC = `${POD}/exec?command=ls&stdout=true`
const never = () => new Promise<number>(() => undefined)

test('a proxied request reaches the pod through its node, whole, and without what makes the caller who he is', async (t) => {
  const heads: string[] = []
  const { api } = await served(t, {
    command: async () => 0,
    port: async (port, data) => {
      let text = ''
      data.on('data', (chunk) => {
        text += String(chunk)
        if (!text.endsWith('{"x":1}')) return
        heads.push(text)
        data.end(
          `HTTP/1.1 201 Created\r\nContent-Length: 4\r\nX-From: ${port}\r\nAccess-Control-Allow-Origin: *\r\n\r\nmade`,
        )
      })
    },
  })
  const posted = await ask(api, {
    method: 'POST',
    path: `${POD.replace('web', 'web:8080')}/proxy/a/b%20c?d=e`,
    body: '{"x":1}',
    headers: { authorization: 'Bearer secret', 'x-own': 'kept' },
  })
  assert.deepEqual([posted.status, posted.text, posted.headers['x-from']], [201, 'made', '8080'])
  assert.equal(posted.headers['access-control-allow-origin'], undefined)
  assert.match(heads[0] ?? '', /^POST \/a\/b%20c\?d=e HTTP\/1.1\r\n/)
  assert.match(heads[0] ?? '', /x-own: kept/)
  assert.doesNotMatch(heads[0] ?? '', /secret|authorization/i)
  const bare = await ask(api, { path: `${POD}/proxy?a=b` })
  assert.deepEqual([bare.status, bare.headers.location], [301, `${POD}/proxy/?a=b`])
})

test('a Service is proxied to a pod behind it, a node to its kubelet', async (t) => {
  const { api } = await served(t, {
    command: async () => 0,
    port: async (port, data) => {
      data.once('data', () => data.end(`HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n${port}`))
    },
    answer: ({ url }, response) => response.end(url),
  })
  const spec = { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 8081 }] }
  const namespace = '/api/v1/namespaces/default'
  await ask(api, { method: 'POST', path: `${namespace}/services`, body: { metadata: { name: 'shop' }, spec } })
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'shop-1', labels: { 'kubernetes.io/service-name': 'shop' } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8081 }],
    endpoints: [{ addresses: ['10.233.64.5'], conditions: { ready: true } }],
  }
  await ask(api, { method: 'POST', path: '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', body: slice })
  assert.equal((await ask(api, { path: `${namespace}/services/shop:http/proxy/` })).text, '8081')
  assert.equal((await ask(api, { path: `${namespace}/services/shop:81/proxy/` })).status, 503)
  assert.equal((await ask(api, { path: '/api/v1/nodes/edge/proxy/pods?x=1' })).text, '/pods?x=1')
  assert.equal((await ask(api, { path: '/api/v1/nodes/edge:22/proxy/' })).status, 400)
})

test('a command whose node dies in the middle fails, and does not look as if it had ended well', async (t) => {
  const { api } = await served(t, {
    command: async ({ stdout, breakOff }) => {
      stdout?.write('half')
      setImmediate(breakOff)
      return await never()
    },
  })
  const socket = webSocket(api, EXEC, ['v5.channel.k8s.io'])
  const said: string[] = []
  socket.on('message', (data) => said.push(String(data)))
  await once(socket, 'close')
  const status = JSON.parse(said.at(-1)?.slice(1) ?? '')
  assert.deepEqual([status.status, status.reason, status.code], ['Failure', 'InternalError', 500])
})

test('whoever may only read cannot run anything, whatever the method of his WebSocket', async (t) => {
  const { api } = await served(t, { command: async () => 0 })
  const jane = await asPerson(api, 'jane', [])
  const rules = [{ apiGroups: [''], resources: ['pods/exec', 'nodes/proxy'], verbs: ['get'] }]
  const rbac = '/apis/rbac.authorization.k8s.io/v1'
  await ask(api, { method: 'POST', path: `${rbac}/clusterroles`, body: { metadata: { name: 'r' }, rules } })
  const binding = {
    metadata: { name: 'r' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'r' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jane' }],
  }
  await ask(api, { method: 'POST', path: `${rbac}/clusterrolebindings`, body: binding })
  assert.equal((await ask(jane, { path: '/api/v1/nodes/edge/proxy/metrics' })).status, 404)
  const atNode = '/api/v1/nodes/edge/proxy/exec/default/web/main?command=ls&output=1'
  for (const [path, protocol] of [
    [EXEC, 'v5.channel.k8s.io'],
    [atNode, 'v4.channel.k8s.io'],
  ] as const) {
    const [error] = await once(webSocket(jane, path, [protocol]), 'error')
    assert.match(String(error), /403/, path)
  }
})

test('what the API shows kubelets opens kubelets, and nothing else of the API', async (t) => {
  const { api } = await served(t, { command: async () => 0 })
  const shown = { ...api, pki: { ...api.pki, admin: api.pki.kubeletClient } }
  assert.equal((await ask(shown, { path: '/api/v1/namespaces/kube-system/secrets' })).status, 403)
  const may = async (verb: string, subresource: string) => {
    const resourceAttributes = { verb, version: 'v1', resource: 'nodes', subresource, name: 'edge' }
    const body = { spec: { user: 'kube-apiserver-kubelet-client', resourceAttributes } }
    const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews'
    return Object((await ask(api, { method: 'POST', path, body })).json).status.allowed
  }
  assert.deepEqual(
    [
      await may('create', 'proxy'),
      await may('get', 'stats'),
      await may('get', 'metrics'),
      await may('patch', 'status'),
    ],
    [true, true, true, false],
  )
})

test('a pod that speaks no TLS where it should, or nothing, leaves no connection behind', async (t) => {
  const asked = Promise.withResolvers<void>()
  const left = Promise.withResolvers<void>()
  const { api } = await served(t, {
    command: async () => 0,
    port: async (port, data) => {
      data.on('error', () => undefined)
      if (port === 8443) {
        data.end('SSH-2.0-none\r\n')
        return
      }
      data.resume()
      asked.resolve()
      data.once('end', left.resolve)
    },
  })
  const at = (port: number) => `${POD.replace('web', `https:web:${port}`)}/proxy/`
  assert.equal((await ask(api, { path: at(8443) })).status, 500)
  const { port, hostname } = new URL(api.url)
  const { certificate: cert, privateKey: key } = api.pki.admin
  const client = connectTls({ host: hostname, port: Number(port), ca: api.pki.ca, cert, key, servername: 'localhost' })
  client.write(`GET ${at(8444)} HTTP/1.1\r\nHost: api\r\n\r\n`)
  await asked.promise
  client.destroy()
  await left.promise
  assert.equal((await ask(api, { path: '/version' })).status, 200)
})

test('requests for another protocol that get none are answered as others are', async (t) => {
  const { api } = await served(t, { command: async () => 0 })
  const upgrade = { connection: 'Upgrade', upgrade: 'h2c' }
  assert.equal((await ask(api, { path: '/api/v1/nodes', headers: upgrade })).status, 200)
  assert.equal((await ask(api, { path: '/api/v1/nowhere', headers: upgrade })).status, 404)
  assert.equal((await ask(api, { path: EXEC, headers: upgrade, anonymous: true })).status, 403)
  const wrong = { ...upgrade, upgrade: 'SPDY/3.1', authorization: 'Bearer wrong' }
  assert.equal((await ask(api, { path: EXEC, headers: wrong, anonymous: true })).status, 401)
  assert.equal((await ask(api, { path: EXEC, method: 'POST' })).status, 400)
})

test('garbage behind an upgrade ends its own connection alone', async (t) => {
  const { api } = await served(t, { command: never })
  const { hostname, port } = new URL(api.url)
  const { certificate: cert, privateKey: key } = api.pki.admin
  const socket = connectTls({ host: hostname, port: Number(port), ca: api.pki.ca, cert, key, servername: 'localhost' })
  await once(socket, 'secureConnect')
  const head = [
    `GET ${EXEC} HTTP/1.1`,
    'Host: localhost',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Protocol: v5.channel.k8s.io',
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  await once(socket, 'data')
  socket.write(Buffer.alloc(4096, 0xff))
  socket.resume()
  await once(socket, 'close')
  assert.equal((await ask(api, { path: '/api/v1/nodes' })).status, 200)
})

test('streams end with the API, and each is in its audit log', async (t) => {
  const directory = temporaryFolder('skerry-api-')
  const file = join(directory, 'audit.log')
  const api = await serveApi(directory, { audit: { file, what: 'all', mostBytes: 1 << 20, keep: 1 } })
  const begun = Promise.withResolvers<void>()
  const kubelet = await serveKubelet(t, api, {
    command: async () => {
      begun.resolve()
      return await never()
    },
  })
  await podAtKubelet(api, kubelet.port)
  const socket = webSocket(api, EXEC, ['v5.channel.k8s.io'])
  socket.on('error', () => undefined)
  await begun.promise
  const ended = once(socket, 'close')
  await api[Symbol.asyncDispose]()
  await ended
  const lines = (await readFile(file, 'utf8')).trim().split('\n')
  const [line] = lines.map((each) => JSON.parse(each)).filter((each) => each.objectRef?.subresource === 'exec')
  assert.deepEqual([line?.verb, line?.responseStatus?.code], ['get', 101])
})

function webSocket(
  { url, pki }: Pick<ServedApi, 'url' | 'pki'>,
  path: string,
  protocols: readonly string[],
): WebSocket {
  const { certificate: cert, privateKey: key } = pki.admin
  return new WebSocket(`${url.replace('https', 'wss')}${path}`, [...protocols], { ca: pki.ca, cert, key })
}

async function served(t: TestContext, played: PlayedKubelet): Promise<{ readonly api: ServedApi }> {
  const api = await serveTestApi(t)
  const kubelet = await serveKubelet(t, api, played)
  await podAtKubelet(api, kubelet.port)
  return { api }
}
