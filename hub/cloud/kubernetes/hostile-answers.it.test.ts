import { createServer } from 'node:https'
import { test } from 'node:test'
import { testAuthority, testIdentity } from '../../../platform/certificates/testing/index.ts'
import { listen } from '../../../platform/http/index.ts'
import { standAnswers } from '../../../platform/http/testing/index.ts'
import { silentLogger as log } from '../../../platform/log/index.ts'
import { type Duration, seconds } from '../../../platform/time/index.ts'
import { ForwardClock } from '../../../platform/time/testing/index.ts'
import { type ApiClient, CALL_DEADLINE, openApiClient } from './http-client.ts'

const MOST_BYTES = 4 * 1024 * 1024
const PATH = '/api/v1/configmaps'

interface Asked {
  readonly what: string
  readonly deadline: Duration
  readonly hasStreams?: boolean
  readonly ask: (client: ApiClient) => Promise<unknown>
}

const WAYS: readonly Asked[] = [
  { what: 'call', deadline: CALL_DEADLINE, ask: (client) => client.call({ method: 'GET', path: PATH }) },
  { what: 'watch', deadline: seconds(100), hasStreams: true, ask: readWatch },
]

for (const { what, ask, ...way } of WAYS) {
  test(`hostile answers of an API server to a ${what} are told, and others go on`, { timeout: 120_000 }, async (t) => {
    const clock = new ForwardClock()
    const authority = await testAuthority()
    const tls = await testIdentity(authority, { commonName: 'api' }, ['serverAuth'])
    const open = (port: number) =>
      openApiClient(kubeconfig(port, authority.certificatePem), {
        clock,
        log,
        largestAnswer: MOST_BYTES,
        longestLine: MOST_BYTES,
      })
    const server = createServer(
      tls,
      (_request, response) => void response.setHeader('connection', 'close').end('{"good":true}\n'),
    )
    await listen(server, { host: '127.0.0.1', port: 0 })
    t.after(() => {
      server.closeAllConnections()
      server.close()
    })
    const address = server.address()
    using good = await open(typeof address === 'object' && address ? address.port : 0)
    await standAnswers({
      ...{ ...way, tls, clock, mostBytes: MOST_BYTES },
      ask: async (port) => {
        using client = await open(port)
        return await ask(client)
      },
      serves: () => ask(good),
    })
  })
}

async function readWatch(client: ApiClient): Promise<void> {
  for await (const event of client.events(`${PATH}?watch=1`, new AbortController().signal)) {
    if (event === null) throw new Error('what came is no event')
  }
}

function kubeconfig(port: number, ca: string) {
  const certificate = Buffer.from(ca).toString('base64')
  const text = JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'c' },
    clusters: [
      { name: 'c', cluster: { server: `https://127.0.0.1:${port}`, 'certificate-authority-data': certificate } },
    ],
    users: [{ name: 'c', user: { token: 'secret' } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'c' } }],
  })
  return { text }
}
