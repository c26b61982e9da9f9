import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { readBody } from '../../../platform/http/index.ts'
import { minutes, ms } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { serveLink } from '../../cloud/cloudhub/serve-link.ts'
import { rule } from '../../cloud/router/testing/rules.ts'
import { type RouterHarness, startRouter } from '../../cloud/router/testing/start-router.ts'
import { FakeKubernetes } from '../../cloud/testing/fake-kubernetes.ts'
import { type EdgeBench, startEdge } from '../testing/edge-bench.ts'

const LIMITS = { maxMessages: 10_000, maxBytes: 10_000_000, maxAgeHours: 24 * 365 }

const WOKEN = { 'skerry.dev/keep-hours': '30' }

/** A web service that is away, or not. */
async function startTarget(t: TestContext) {
  const delivered: { readonly id: string; readonly body: string }[] = []
  const target = { delivered, tried: 0, isAway: true, bodies: () => delivered.map(({ body }) => body) }
  const server = createServer((request, response) => {
    void readBody(request, 1_000_000).then((body) => {
      target.tried++
      const id = String(request.headers['x-skerry-message-id'])
      if (!target.isAway) delivered.push({ id, body: body.toString() })
      response.writeHead(target.isAway ? 503 : 204).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const address = server.address()
  return Object.assign(target, { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/in` })
}

/** An edge with its disk in memory, the hub and the Router of a cloud with a real one, and a target: on one virtual time. */
async function startWorld(t: TestContext) {
  const clock = new FakeClock()
  const kubernetes = new FakeKubernetes()
  const target = await startTarget(t)
  const doors = rule('eventbus->rest', { node_name: 'edge-1', topic: 'user/doors' }, { resource: target.url })
  const step = async (milliseconds = 20) => {
    await clock.advance(ms(milliseconds))
    await turn()
  }
  const until = async (isSo: () => boolean | Promise<boolean>, milliseconds?: number) => {
    while (!(await isSo())) await step(milliseconds)
  }
  const pumped = async <T>(work: Promise<T>): Promise<T> => {
    let isSettled = false
    const settle = () => {
      isSettled = true
    }
    work.then(settle, settle)
    await until(() => isSettled)
    return work
  }
  let sessions = 0
  const routers: RouterHarness[] = []
  let present: RouterHarness | undefined
  const world = {
    ...{ clock, target, step, until },
    /** Another life of the cloud half, on this disk. */
    async cloud(folder: string, more = [doors]): Promise<RouterHarness> {
      present = await pumped(startRouter(t, routers.length === 0 ? more : [], { kubernetes, folder, virtual: clock }))
      routers.push(present)
      return present
    },
    /** Where the edge connects next. */
    use(router: RouterHarness) {
      present = router
    },
    async stop(router: RouterHarness) {
      if (present === router) present = undefined
      await pumped(router.stop())
    },
    /** Its target may be there again: no wait for the next look at it. */
    wake: (router: RouterHarness) =>
      pumped(router.apply({ ...doors, metadata: { ...doors.metadata, annotations: WOKEN } })),
    edge: (after?: EdgeBench): Promise<EdgeBench> =>
      startEdge({
        ...{ clock, userMessages: LIMITS, ...(after ? { after } : {}) },
        accept(pair) {
          const peer = { node: 'edge-1', skerry: true, epoch: 'db-1', session: `session-${++sessions}` }
          if (present) void serveLink(present.cloud.hub, pair.cloud, peer)
          else pair.cut('nobody is there')
        },
      }),
    /** Until the edge has taken leave of everything, on its disk too. */
    untilForgotten: (edge: EdgeBench) =>
      until(async () => (await edge.store.read({ statement: 'user.index', parameters: [] })).length === 0),
  }
  t.after(async () => {
    for (const each of routers) await pumped(each.stop())
  })
  return world
}

const say = async (edge: EdgeBench, ...texts: readonly string[]) => {
  for (const text of texts) await edge.mqtt.send('shop/user/doors', text)
}
const kept = (edge: EdgeBench) => edge.hub.status().userMessages

test('what a cloud had taken and lost with its disk comes again, in order and with the same ids, and reaches its target', async (t) => {
  const world = await startWorld(t)
  const first = await world.cloud(await temporaryFolder())
  const edge = await world.edge()
  await say(edge, '1', '2', '3')
  await world.until(() => kept(edge).kept === 3)
  assert.equal(kept(edge).waiting, 0)
  await world.until(() => world.target.tried > 0)
  await world.stop(first)
  world.target.isAway = false
  await world.cloud(await temporaryFolder())
  await world.untilForgotten(edge)
  assert.deepEqual(world.target.bodies(), ['1', '2', '3'])
  assert.equal(new Set(world.target.delivered.map(({ id }) => id)).size, 3)
  assert.deepEqual(kept(edge), { waiting: 0, bytes: 0, kept: 0, dropped: {} })
})

test('a cloud that comes back with its disk is not sent anything again, and delivers once', async (t) => {
  const world = await startWorld(t)
  const folder = await temporaryFolder()
  const first = await world.cloud(folder)
  const edge = await world.edge()
  await say(edge, '1', '2', '3')
  await world.until(() => kept(edge).kept === 3)
  await world.stop(first)
  world.target.isAway = false
  const second = await world.cloud(folder)
  await say(edge, '4')
  await world.untilForgotten(edge)
  assert.deepEqual(world.target.bodies(), ['1', '2', '3', '4'])
  await world.until(async () => /skerry_router_receipts 0/.test(await second.metrics()))
})

test('an edge that was killed between the two steps knows afterwards what the cloud has, and nothing comes twice', async (t) => {
  const world = await startWorld(t)
  const router = await world.cloud(await temporaryFolder())
  const killed = await world.edge()
  await say(killed, '1', '2')
  await world.until(() => kept(killed).kept === 2)
  killed.dialer.isReachable = false
  killed.dialer.pair?.cut('kill -9')
  // One is done while nobody can be told.
  world.target.isAway = false
  await world.until(() => world.target.delivered.length === 2)
  await world.until(async () => /skerry_router_receipts 2/.test(await router.metrics()))
  world.target.isAway = true
  const edge = await world.edge(killed)
  await say(edge, '3')
  await world.until(() => kept(edge).kept === 1)
  world.target.isAway = false
  await world.untilForgotten(edge)
  assert.deepEqual(world.target.bodies(), ['1', '2', '3'])
})

test('a target that is away for days holds up nothing else of the node, and gets all of it when it is back', async (t) => {
  const world = await startWorld(t)
  const other = await startTarget(t)
  other.isAway = false
  const resource = { resource: other.url }
  const rules = [
    rule('eventbus->rest', { node_name: 'edge-1', topic: 'user/doors' }, { resource: world.target.url }),
    rule('eventbus->rest', { node_name: 'edge-1', topic: 'user/lights' }, resource, { name: 'other' }),
  ]
  const router = await world.cloud(await temporaryFolder(), rules)
  const edge = await world.edge()
  const texts = Array.from({ length: 150 }, (_, at) => String(at))
  await say(edge, ...texts)
  await edge.mqtt.send('shop/user/lights', 'on')
  await world.until(() => other.delivered.length === 1)
  await world.until(() => kept(edge).kept === 150)
  await edge.stop()
  for (let hour = 0; hour < 28; hour++) await world.step(minutes(60).milliseconds)
  const later = await world.edge(edge)
  await world.until(() => kept(later).kept === 150)
  world.target.isAway = false
  await world.wake(router)
  await world.untilForgotten(later)
  assert.deepEqual(world.target.bodies(), texts)
})

test('what is given up is done once the status of its rule shows it, and the edge forgets it', async (t) => {
  const world = await startWorld(t)
  const router = await world.cloud(await temporaryFolder())
  const edge = await world.edge()
  await say(edge, 'late')
  await world.until(() => kept(edge).kept === 1)
  await world.wake(router)
  await edge.stop()
  for (let hour = 0; hour < 31; hour++) await world.step(minutes(60).milliseconds)
  await world.untilForgotten(await world.edge(edge))
  const status = (await router.rule())?.status
  assert.match(JSON.stringify(status?.['deadLetters']), /given up after 30 hours/)
  assert.equal(status?.['failMessages'], 1)
})

test('an edge that goes to another replica is served by both: at least once, with the same ids, and each counts what it did', async (t) => {
  const world = await startWorld(t)
  const first = await world.cloud(await temporaryFolder())
  const edge = await world.edge()
  await say(edge, '1', '2')
  await world.until(() => kept(edge).kept === 2)
  const second = await world.cloud(await temporaryFolder())
  edge.dialer.pair?.cut('the way leads elsewhere')
  await world.until(async () => /skerry_router_waiting 2/.test(await second.metrics()))
  world.target.isAway = false
  await world.untilForgotten(edge)
  await world.until(async () => /skerry_router_waiting 0/.test(await first.metrics()))
  assert.deepEqual(new Set(world.target.bodies()), new Set(['1', '2']))
  assert.equal(new Set(world.target.delivered.map(({ id }) => id)).size, 2)
  const counted = async () => Number((await first.rule())?.status?.['successMessages'] ?? 0)
  await world.until(async () => (await counted()) === world.target.delivered.length)
  // Back at the first one, which was not told yet that its own are known: nothing comes again.
  world.use(first)
  edge.dialer.pair?.cut('and back')
  await say(edge, '3')
  const before = world.target.delivered.length
  await world.untilForgotten(edge)
  assert.deepEqual(world.target.bodies().slice(before), ['3'])
})
