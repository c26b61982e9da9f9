import { readFile } from 'node:fs/promises'
import { createServer, Agent as HttpAgent, request as httpRequest } from 'node:http'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { Fleet } from '../runtime/process/testing/fleet.ts'
import { eventually } from '../runtime/process/testing/run.ts'
import { median, row } from './print.ts'

/** Calls of a node from the cloud, with both halves as processes, against a direct call of the same service, in turns. */
const AT_ONCE = 8
const CALLS = 400
const ROUNDS = 5

const service = createServer((incoming, response) => {
  incoming.resume()
  response.end('state')
})
await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
const address = service.address()
const port = typeof address === 'object' && address !== null ? address.port : 0
const fleet = await Fleet.start()
try {
  const edge = await fleet.join('edge-1', undefined, { serviceBus: { listener: { port: 0 }, services: [{ port }] } })
  const ca = await readFile(join(edge.directory, 'pki', 'rootCA.crt'), 'utf8')
  const limits = { 'skerry.dev/rate-per-second': '100000', 'skerry.dev/concurrency': '100' }
  const rule = (name: string, target: string, targetResource: object) => ({
    ...{
      apiVersion: 'rules.kubeedge.io/v1',
      kind: 'Rule',
      metadata: { name, namespace: 'default', annotations: limits },
    },
    spec: { source: 'cloud', sourceResource: { path: name }, target, targetResource },
  })
  const endpoint = (name: string, ruleEndpointType: string, properties = {}) => ({
    ...{ apiVersion: 'rules.kubeedge.io/v1', kind: 'RuleEndpoint', metadata: { name, namespace: 'default' } },
    spec: { ruleEndpointType, properties },
  })
  await fleet.apply(
    ...[
      endpoint('cloud', 'rest'),
      endpoint('topics', 'eventbus'),
      endpoint('service', 'servicebus', { service_port: String(port) }),
    ],
    ...[rule('topic', 'topics', { topic: 'bench' }), rule('state', 'service', { path: '/' })],
    {
      ...{
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name: 'bench', namespace: 'default' },
      },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: 'default' }],
    },
  )
  const token = (await fleet.kubectl(['create', 'token', 'default'])).stdout.trim()
  const tls = new Agent({ keepAlive: true, maxSockets: AT_ONCE, ca })
  const plain = new HttpAgent({ keepAlive: true, maxSockets: AT_ONCE })
  const call = (url: string) =>
    new Promise<number>((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}`, 'content-length': 2 }
      const send = url.startsWith('https') ? request : httpRequest
      const outgoing = send(
        url,
        { method: 'POST', headers, agent: url.startsWith('https') ? tls : plain },
        (answer) => {
          answer.resume()
          answer.on('end', () => resolve(answer.statusCode ?? 0))
        },
      )
      outgoing.on('error', reject)
      outgoing.end('on')
    })
  const router = fleet.cloud.endpoints.router ?? ''
  const ways = {
    direct: `http://127.0.0.1:${port}/`,
    topic: `${router}/edge-1/default/topic`,
    state: `${router}/edge-1/default/state`,
  }
  for (const url of Object.values(ways)) {
    await eventually('it is served', async () => {
      const status = await call(url)
      if (status === 200) return true
      throw new Error(`${url} answers ${status}`)
    })
  }
  const measure = async (url: string) => {
    const took: number[] = []
    let left = CALLS
    const begin = performance.now()
    const one = async () => {
      while (left-- > 0) {
        const from = performance.now()
        const status = await call(url)
        if (status !== 200) throw new Error(`${url} answered ${status}`)
        took.push(performance.now() - from)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, one))
    return { perSecond: (CALLS * 1000) / (performance.now() - begin), p50: median(took) }
  }
  const figures: Record<keyof typeof ways, { perSecond: number; p50: number }[]> = { direct: [], topic: [], state: [] }
  for (let round = 0; round < ROUNDS; round++) {
    figures.direct.push(await measure(ways.direct))
    figures.topic.push(await measure(ways.topic))
    figures.state.push(await measure(ways.state))
  }
  const of = (name: keyof typeof ways) => ({
    perSecond: median(figures[name].map((each) => each.perSecond)),
    p50: median(figures[name].map((each) => each.p50)),
  })
  const direct = of('direct')
  const print = (name: string, { perSecond, p50 }: ReturnType<typeof of>) =>
    row(
      name,
      `${perSecond.toFixed(0)} calls/s, p50 ${p50.toFixed(1)} ms`,
      `${(direct.perSecond / perSecond).toFixed(1)} x a direct call`,
    )
  row('the service itself, plain HTTP', `${direct.perSecond.toFixed(0)} calls/s, p50 ${direct.p50.toFixed(1)} ms`)
  print('rest to eventbus, confirmed by the edge', of('topic'))
  print('rest to servicebus, through the tunnel', of('state'))
} finally {
  service.close()
  await fleet[Symbol.asyncDispose]()
}
