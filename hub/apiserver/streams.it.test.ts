import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { needs } from '../../tools/testing/needs.ts'
import { kubectl } from './testing/kubectl.ts'
import { ask } from './testing/request.ts'
import { type ServedApi, serveTestApi } from './testing/serve.ts'
import { type PlayedKubelet, podAtKubelet, serveKubelet } from './testing/served-kubelet.ts'

const skip = needs('kubectl')
/** Ways in which kubectl speaks: WebSocket (what it does by itself since 1.31), or SPDY. */
const WAYS = [
  ['a WebSocket', { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'true', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'true' }],
  ['SPDY', { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' }],
] as const

for (const [way, environment] of WAYS) {
  test(`kubectl exec over ${way}: input, output, errors and the exit code go through`, { skip }, async (t) => {
    const { api, kubelet } = await served(t, {
      command: async ({ query, stdin, stdout, stderr }) => {
        stdout?.write(`${query.getAll('command').join(' ')}\n`)
        for await (const chunk of stdin ?? []) stdout?.write(String(chunk).toUpperCase())
        stderr?.write('a warning\n')
        return 7
      },
    })
    const run = await kubectl(api, ['exec', '-i', 'web', '--', 'cat', '-'], { input: 'hello\n', environment })
    assert.deepEqual(run, {
      code: 7,
      out: 'cat -\nHELLO\n',
      err: 'a warning\ncommand terminated with exit code 7\n',
    })
    assert.deepEqual(kubelet.asked, [
      {
        url: '/exec/default/web/main?command=cat&command=-&error=1&input=1&output=1',
        user: 'kube-apiserver-kubelet-client',
      },
    ])
  })

  test(`kubectl attach and cp over ${way}`, { skip }, async (t) => {
    const written: Buffer[] = []
    const { api } = await served(t, {
      command: async ({ path, stdin, stdout }) => {
        if (path.startsWith('/attach/')) stdout?.write('attached\n')
        for await (const chunk of stdin ?? []) written.push(chunk)
        return 0
      },
    })
    const attached = await kubectl(api, ['attach', 'web'], { environment })
    assert.deepEqual([attached.code, attached.out], [0, 'attached\n'])
    const copied = await kubectl(api, ['cp', join(api.directory, 'kubeconfig'), 'web:/tmp/file'], { environment })
    assert.equal(copied.code, 0, copied.err)
    assert.match(Buffer.concat(written).toString(), /current-context/)
  })

  test(`kubectl port-forward over ${way}: connections one after the other and at once`, { skip }, async (t) => {
    const { api } = await served(t, {
      command: async () => 0,
      port: async (port, data) => {
        if (port === 81) throw new Error('nobody listens on 81')
        data.once('data', (chunk: Buffer) => {
          data.end(`HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${port}: ${String(chunk).split('\r\n')[0]}`)
        })
      },
    })
    const over = new AbortController()
    const listening = Promise.withResolvers<string>()
    const running = kubectl(api, ['port-forward', 'web', ':80'], {
      environment,
      signal: over.signal,
      onOut: (out) => {
        const port = /127\.0\.0\.1:(\d+)/.exec(out)?.[1]
        if (port !== undefined) listening.resolve(port)
      },
    })
    const port = await listening.promise
    const get = async (path: string) => await (await fetch(`http://127.0.0.1:${port}${path}`)).text()
    assert.equal(await get('/one'), '80: GET /one HTTP/1.1')
    assert.deepEqual(await Promise.all(['/a', '/b', '/c'].map(get)), [
      '80: GET /a HTTP/1.1',
      '80: GET /b HTTP/1.1',
      '80: GET /c HTTP/1.1',
    ])
    over.abort()
    await running
  })

  test(`what the node says instead is told over ${way}`, { skip }, async (t) => {
    const { api } = await served(t, {
      command: async () => 0,
      refuse: () => ({ code: 500, text: 'container not found ("main")' }),
    })
    const { code, err } = await kubectl(api, ['exec', 'web', '--', 'ls'], { environment })
    assert.equal(code, 1)
    assert.match(err, /unable to upgrade connection: container not found \("main"\)/)
  })
}

test('logs come as the node writes them, with all that was asked', { skip }, async (t) => {
  const { api, kubelet } = await served(t, {
    command: async () => 0,
    answer: (_request, response) => response.end('one\ntwo\n'),
  })
  const all = ['--tail=2', '--since=1h', '--timestamps', '--previous', '--limit-bytes=100', '--container=main']
  const run = await kubectl(api, ['logs', 'web', ...all])
  assert.deepEqual(run, { code: 0, out: 'one\ntwo\n', err: '' })
  const query = 'limitBytes=100&previous=true&sinceSeconds=3600&tailLines=2&timestamps=true'
  assert.equal(kubelet.asked[0]?.url, `/containerLogs/default/web/main?${query}`)
})

test('a log that is followed comes line by line, and ends at the node when the client leaves', { skip }, async (t) => {
  let response: ServerResponse | undefined
  const left = Promise.withResolvers<void>()
  const { api } = await served(t, {
    command: async () => 0,
    answer: (_request, answering) => {
      response = answering
      answering.write('first\n')
      answering.on('close', () => left.resolve())
    },
  })
  const over = new AbortController()
  const running = kubectl(api, ['logs', '-f', 'web'], {
    signal: over.signal,
    onOut: (out) => {
      if (out === 'first\n') response?.write('second\n')
      if (out.endsWith('second\n')) over.abort()
    },
  })
  await left.promise
  assert.equal((await running).out, 'first\nsecond\n')
})

test('failures of the node are told as upstream tells them', async (t) => {
  const { api } = await served(t, {
    command: async () => 0,
    answer: ({ url = '' }, response) => {
      if (url.includes('tailLines=1')) response.writeHead(404).end('pod "web" not found\n')
      else if (url.includes('tailLines=2')) response.writeHead(500).end('broken')
      else if (url.includes('tailLines=3')) response.writeHead(400).end('previous terminated container not found')
      else response.writeHead(403).end('Forbidden (user=x)')
    },
  })
  const messages: unknown[] = []
  for (const lines of [1, 2, 3, 4]) {
    const path = `/api/v1/namespaces/default/pods/web/log?tailLines=${lines}`
    const { status, json } = await ask(api, { path })
    messages.push([status, Object(json).reason, Object(json).message])
  }
  assert.deepEqual(messages, [
    [404, 'NotFound', 'the server could not find the requested resource ( pods/log web)'],
    [500, 'InternalError', 'Internal error occurred: broken'],
    [400, 'BadRequest', 'previous terminated container not found'],
    [403, 'Forbidden', 'Forbidden (user=x) ( pods/log web)'],
  ])
})

async function served(
  t: TestContext,
  played: PlayedKubelet,
): Promise<{
  readonly api: ServedApi
  readonly kubelet: Awaited<ReturnType<typeof serveKubelet>>
}> {
  const api = await serveTestApi(t)
  const kubelet = await serveKubelet(t, api, played)
  await podAtKubelet(api, kubelet.port)
  return { api, kubelet }
}
