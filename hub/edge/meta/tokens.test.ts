import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minutes, seconds } from '../../../platform/time/index.ts'
import {
  type Frame,
  type Json,
  requestToken,
  type ServiceAccountToken,
  type ServiceAccountTokenRequest,
} from '../../../schemas/index.ts'
import { type BenchOptions, type EdgeBench, startEdge } from '../testing/edge-bench.ts'

const REQUEST: ServiceAccountTokenRequest = {
  namespace: 'shop',
  serviceAccount: 'till',
  audiences: ['api', 'vault'],
  expirationSeconds: 3600,
  boundTo: { kind: 'Pod', apiVersion: 'v1', name: 'till-1', uid: 'u-1' },
}
const HOUR = 3_600_000

async function setup(options: BenchOptions = {}) {
  const edge = await startEdge(options)
  const usual = edge.cloud.answers
  const cloud = { refuses: false, given: 0, skew: 0, form: (count: number) => `token ${count}` }
  edge.cloud.answers = (frame) => {
    if (!isTokenQuery(frame)) return usual(frame)
    if (cloud.refuses) return reply(frame, { ErrStatus: { reason: 'Forbidden' } })
    const expires = new Date(edge.clock.now() + cloud.skew + HOUR).toISOString()
    return reply(frame, {
      spec: { expirationSeconds: 3600 },
      status: { token: cloud.form(++cloud.given), expirationTimestamp: expires },
    })
  }
  const asked = (request = REQUEST) => edge.bus.request(requestToken, request, { deadline: seconds(60) })
  const token = async (request = REQUEST): Promise<ServiceAccountToken> => {
    const answer = asked(request)
    answer.catch(() => undefined)
    await edge.advance()
    return answer
  }
  return { edge, cloud, token, asked }
}

test('45, 102: a token is asked for as a TokenRequest, kept, and made anew after 80 % of its lifetime', async () => {
  const { edge, token } = await setup()
  assert.equal((await token()).token, 'token 1')
  const query = edge.cloud.received.find(isTokenQuery)
  assert.equal(query?.route.resource, 'shop/serviceaccounttoken/till')
  assert.deepEqual(Object(query?.content).spec, {
    audiences: ['api', 'vault'],
    expirationSeconds: 3600,
    boundObjectRef: REQUEST.boundTo,
  })
  await edge.advance(0.79 * HOUR)
  assert.equal((await token({ ...REQUEST, audiences: ['vault', 'api'] })).token, 'token 1')
  await edge.advance(0.02 * HOUR)
  assert.equal((await token()).token, 'token 2')
  await edge.stop()
})

test('a token for something else is another one, and one query goes for all who ask meanwhile', async () => {
  const { edge, cloud, asked } = await setup()
  const all = [asked(), asked(), asked({ ...REQUEST, audiences: [] }), asked({ ...REQUEST, serviceAccount: 'x' })]
  await edge.advance()
  assert.deepEqual(
    (await Promise.all(all)).map(({ token }) => token),
    ['token 1', 'token 1', 'token 2', 'token 3'],
  )
  assert.equal(cloud.given, 3)
  await edge.stop()
})

test('without the cloud a token is served until it is expired, then never, also after a restart', async () => {
  const first = await setup()
  const { expiresAt } = await first.token()
  await first.edge.stop()
  const { edge, token } = await setup({ after: first.edge, isReachable: false })
  await edge.advance(0.95 * HOUR)
  assert.deepEqual(await token(), { token: 'token 1', expiresAt })
  await edge.advance(0.06 * HOUR)
  await assert.rejects(token(), { code: 'HUB_TOKEN_EXPIRED' })
  await assert.rejects(token({ ...REQUEST, serviceAccount: 'unknown' }), { code: 'HUB_OFFLINE' })
  await edge.stop()
})

test('the token of a pod that says a year in itself serves on while the cloud is away, and not beyond its end', async () => {
  const first = await setup()
  const claims = Buffer.from(JSON.stringify({ iat: 1000, exp: 1000 + 365 * 24 * 3600 })).toString('base64url')
  first.cloud.form = (count) => `${count}.${claims}.signature`
  const { token: given } = await first.token()
  await first.edge.advance(0.81 * HOUR)
  assert.notEqual((await first.token()).token, given)
  await first.edge.stop()
  first.edge.clock.jump(minutes(24 * 60))
  const offline = await setup({ after: first.edge, isReachable: false })
  assert.equal((await offline.token()).token, `2.${claims}.signature`)
  await offline.edge.stop()
  offline.edge.clock.jump(minutes(365 * 24 * 60))
  const late = await setup({ after: offline.edge, isReachable: false })
  await assert.rejects(late.token(), { code: 'HUB_TOKEN_EXPIRED' })
  await late.edge.stop()
})

test('a refresh that the cloud refuses leaves the token that is valid, and is not tried with each call', async () => {
  const { edge, cloud, token } = await setup()
  await token()
  cloud.refuses = true
  await edge.advance(0.9 * HOUR)
  edge.cloud.forget()
  for (let at = 0; at < 10; at++) assert.equal((await token()).token, 'token 1')
  assert.equal(edge.cloud.received.filter(isTokenQuery).length, 1)
  await edge.advance(0.2 * HOUR)
  await assert.rejects(token(), { code: 'HUB_TOKEN_EXPIRED' })
  await edge.stop()
})

test('neither a clock that is set nor one that differs from the cloud’s makes a token old', async () => {
  const { edge, cloud, token } = await setup()
  cloud.skew = -2 * HOUR
  await token()
  edge.clock.jump(minutes(50 * 365 * 24 * 60))
  assert.equal((await token()).token, 'token 1')
  await edge.stop()
})

test('what is no token is no answer, and the tokens of a pod go with it', async () => {
  const { edge, cloud, token } = await setup()
  const usual = edge.cloud.answers
  edge.cloud.answers = (frame) => (isTokenQuery(frame) ? reply(frame, { status: { token: '' } }) : usual(frame))
  await assert.rejects(token(), { code: 'HUB_TOKEN_REFUSED' })
  edge.cloud.answers = usual
  const pod = { metadata: { name: 'till-1', namespace: 'shop', uid: 'u-1' }, spec: { nodeName: 'edge-1' } }
  const route = { source: 'edgecontroller', group: 'resource', resource: 'shop/pod/till-1' }
  edge.cloud.say({ ...route, operation: 'insert' }, pod, '1')
  await token()
  assert.equal(await rows(edge), 1)
  edge.cloud.say({ ...route, operation: 'delete' }, pod)
  await edge.advance()
  assert.equal(await rows(edge), 0)
  assert.equal((await token()).token, `token ${cloud.given}`)
  assert.equal(cloud.given, 2)
  await edge.stop()
})

async function rows(edge: EdgeBench): Promise<number> {
  return (await edge.store.read({ statement: 'meta.tokens', parameters: [] })).length
}

function isTokenQuery({ route }: Frame): boolean {
  return route.operation === 'query' && route.resource?.includes('/serviceaccounttoken/') === true
}

function reply(frame: Frame, content: Json): Frame {
  return {
    header: { msg_id: `to ${frame.header.msg_id}`, parent_msg_id: frame.header.msg_id, timestamp: 1 },
    route: { source: 'edgecontroller', group: 'resource', operation: 'response', resource: frame.route.resource ?? '' },
    content,
  }
}
