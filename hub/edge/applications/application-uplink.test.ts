import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { Frame, Json, JsonObject } from '../../../schemas/index.ts'
import { isObject } from '../json.ts'
import { type EdgeBench, startEdge } from '../testing/edge-bench.ts'
import type { WatchedEvent } from './applications.ts'

const PODS = { group: '', version: 'v1', resource: 'pods', namespace: 'shop' }
const TILL = { ...PODS, name: 'till' }
const live = () => new AbortController().signal
const base64 = (value: Json) => Buffer.from(JSON.stringify(value)).toString('base64')
const pod = (name: string, version: string): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion: version },
})

/** Applications, answered by the test, in the order in which they came. */
async function start(answer: (application: JsonObject, frame: Frame) => JsonObject | undefined, isSkerry = true) {
  const edge = await startEdge({ isSkerry })
  const usual = edge.cloud.answers
  const asked: Frame[] = []
  edge.cloud.answers = (frame) => {
    if (frame.route.source !== 'metaserver') return usual(frame)
    asked.push(frame)
    const said = answer(isObject(frame.content) ? frame.content : {}, frame)
    return said && reply(edge, frame, said)
  }
  await edge.advance(6000)
  return { edge, asked, applications: edge.hub.applications }
}

function reply(edge: EdgeBench, frame: Frame, content: Json): Frame {
  const route = { source: 'dynamiccontroller', group: 'resource', operation: 'applicationResponse' }
  return {
    header: {
      msg_id: `answer-${frame.header.msg_id}`,
      parent_msg_id: frame.header.msg_id,
      timestamp: edge.clock.now(),
    },
    route: { ...route, resource: 'ignore/Application/ignore' },
    content,
  }
}

const approved = (application: JsonObject, object: Json, code = 200) => ({
  ...application,
  Status: 'Approved',
  RespBody: base64(object),
  skerry: { code },
})

test('a request is KubeEdge’s Application to the letter, and the token of its caller goes to a Skerry cloud alone', async () => {
  for (const isSkerry of [true, false]) {
    const { edge, asked, applications } = await start((each) => approved(each, pod('till', '7')), isSkerry)
    const token = 'se.cr.et'
    const answer = await applications.ask({ verb: 'get', at: TILL, token }, live())
    assert.deepEqual(answer, { code: 200, object: pod('till', '7') })
    const [frame] = asked
    assert.deepEqual(frame?.route, {
      source: 'metaserver',
      group: 'dynamiccontroller',
      operation: 'null',
      resource: 'null',
    })
    const key = '/core/v1/pods/shop/till'
    assert.deepEqual(frame?.content, {
      ID: createHash('sha256').update(`edge-1${key}get{}`).digest('hex'),
      ...{ Key: key, Verb: 'get', Nodename: 'edge-1', Option: base64({}), ReqBody: null, Subresource: '' },
      ...{ RespBody: null, Status: 'InApplying', Reason: '', Error: {}, Timestamp: '0001-01-01T00:00:00Z' },
      ...(isSkerry ? { skerry: { token } } : {}),
    })
    assert.equal(applications.peer, isSkerry ? 'skerry' : 'kubeedge')
    await edge.stop()
  }
})

test('patches, status updates and deletions have the form that an original cloud reads', async () => {
  const { edge, asked, applications } = await start((each) => approved(each, {}), false)
  const ask = (request: object) => applications.ask({ at: TILL, verb: 'get', ...request }, live())
  await ask({
    verb: 'patch',
    patchType: 'application/json-patch+json',
    body: [{ op: 'remove', path: '/a' }],
    subresource: 'status',
  })
  await ask({ verb: 'update', subresource: 'status', body: pod('till', '7') })
  await ask({ verb: 'delete', body: { gracePeriodSeconds: 0 } })
  const told = asked.map(({ content }) => Object(content))
  assert.deepEqual(
    told.map(({ Verb }) => Verb),
    ['patch', 'updatestatus', 'delete'],
  )
  assert.deepEqual(JSON.parse(Buffer.from(told[0].Option, 'base64').toString()), {
    Name: 'till',
    PatchType: 'application/json-patch+json',
    Data: base64([{ op: 'remove', path: '/a' }]),
    Options: {},
    Subresources: ['status'],
  })
  assert.deepEqual(JSON.parse(Buffer.from(told[1].ReqBody, 'base64').toString()), pod('till', '7'))
  assert.deepEqual([told[2].Option, told[2].ReqBody], [base64({ gracePeriodSeconds: 0 }), null])
  await edge.stop()
})

test('a refusal of the API is an answer with its Status, and a cloud that could not ask is a failure', async () => {
  const status = { kind: 'Status', code: 404, reason: 'NotFound', message: 'pods "till" not found' }
  const answers: JsonObject[] = [
    { Status: 'Rejected', Error: { ErrStatus: status } },
    { Status: 'Rejected', Error: {}, Reason: 'no such verb' },
  ]
  const { edge, applications } = await start((each) => ({ ...each, ...answers.shift() }))
  assert.deepEqual(await applications.ask({ verb: 'get', at: TILL }, live()), { code: 404, object: status })
  await assert.rejects(applications.ask({ verb: 'get', at: TILL }, live()), {
    code: 'HUB_APPLICATION_FAILED',
    fields: { reason: 'no such verb' },
  })
  await edge.stop()
})

test('without the cloud a request fails at once, and one that it does not answer after ten seconds', async () => {
  const { edge, applications } = await start(() => undefined, false)
  const late = assert.rejects(applications.ask({ verb: 'get', at: TILL }, live()), { code: 'PLATFORM_DEADLINE' })
  await edge.advance(10_000)
  await late
  // Its DynamicController is off: nobody else waits for that.
  await assert.rejects(applications.ask({ verb: 'list', at: PODS }, live()), { code: 'HUB_APPLICATIONS_SILENT' })
  edge.dialer.isReachable = false
  edge.dialer.pair?.cut('the cable')
  await edge.advance(1)
  await assert.rejects(applications.ask({ verb: 'get', at: TILL }, live()), { code: 'HUB_OFFLINE' })
  await edge.stop()
})

test('more than a bounded number of requests is refused at once', async () => {
  const { edge, applications } = await start(() => undefined)
  const all = Array.from({ length: 400 }, () =>
    applications.ask({ verb: 'get', at: TILL }, live()).catch((error) => error.code),
  )
  await edge.advance(1)
  await edge.advance(10_000)
  const codes = await Promise.all(all)
  assert.equal(codes.filter((code) => code === 'HUB_APPLICATIONS_FULL').length, 400 - 64 - 256)
  await edge.stop()
})

test('a watch goes on over an outage from the last version that was seen, and ends with the Status that says why', async () => {
  const options: JsonObject[] = []
  const watches: string[] = []
  const { edge, applications } = await start((each) => {
    if (each['Verb'] !== 'watch') return undefined
    options.push(JSON.parse(Buffer.from(String(each['Option']), 'base64').toString()))
    watches.push(Object(each['skerry']).watch)
    return approved(each, {})
  })
  const seen: WatchedEvent[] = []
  const done = collect(applications.watch({ at: PODS, options: { resourceVersion: '5' } }, live()), seen)
  await edge.advance(1)
  const say = (events: JsonObject[], more: object = {}) =>
    edge.cloud.say(
      { source: 'dynamiccontroller', group: 'dynamiccontroller', operation: 'update', resource: 'watchapp/events' },
      { skerry: { watch: watches.at(-1) ?? '', events, ...more } },
    )
  const frame = say([{ type: 'ADDED', object: pod('till', '8') }])
  await edge.advance(1)
  const receipt = edge.cloud.received.find(({ header }) => header.parent_msg_id === frame.header.msg_id)
  assert.deepEqual([receipt?.route.operation, receipt?.content], ['response', 'OK'])
  edge.dialer.pair?.cut('the cable')
  await edge.advance(60_000)
  assert.deepEqual(
    options.map(({ resourceVersion }) => resourceVersion),
    ['5', '8'],
  )
  const gone = { kind: 'Status', code: 410, reason: 'Expired' }
  say([{ type: 'MODIFIED', object: pod('till', '9') }], { ended: { status: gone } })
  await edge.advance(1)
  await done
  assert.deepEqual(
    seen.map(({ type }) => type),
    ['ADDED', 'MODIFIED', 'ERROR'],
  )
  assert.deepEqual(seen.at(-1)?.object, gone)
  await edge.stop()
})

test('a watch from a version may begin without the cloud and goes on when it comes; one without a version fails', async () => {
  const { edge, asked, applications } = await start((each) => approved(each, {}))
  edge.dialer.pair?.cut('the cable')
  await edge.advance()
  const seen: WatchedEvent[] = []
  const reader = new AbortController()
  const done = collect(applications.watch({ at: PODS, options: { resourceVersion: '5' } }, reader.signal), seen)
  await assert.rejects(collect(applications.watch({ at: PODS }, live()), []), { code: 'HUB_OFFLINE' })
  await edge.advance(1)
  assert.equal(asked.length, 0)
  await edge.advance(60_000)
  assert.equal(asked.length, 1)
  assert.match(JSON.stringify(asked[0]?.content), /"Verb":"watch"/)
  reader.abort(new Error('read enough'))
  await done.catch(() => undefined)
  assert.deepEqual(seen, [])
  await edge.stop()
})

test('a watch without a version begins with what is there, page by page', async () => {
  const { edge, applications } = await start((each, { route }) => {
    if (route.resource === 'watchapp/sync') return {}
    const option = JSON.parse(Buffer.from(String(each['Option']), 'base64').toString())
    if (each['Verb'] === 'list') {
      const isFirst = option.continue === undefined
      const metadata = { resourceVersion: '20', ...(isFirst ? { continue: 'more' } : {}) }
      const items = [{ metadata: { name: isFirst ? 'a' : 'b' } }]
      return approved(each, { apiVersion: 'v1', kind: 'PodList', metadata, items })
    }
    const status = { kind: 'Status', code: 403, reason: 'Forbidden', message: option.resourceVersion }
    return { ...each, Status: 'Rejected', Error: { ErrStatus: status } }
  })
  const seen: WatchedEvent[] = []
  const done = collect(applications.watch({ at: PODS }, live()), seen)
  await edge.advance(1)
  await done
  assert.deepEqual(
    seen.map(({ type, object }) => [type, Object(object['metadata']).name ?? object['message']]),
    [
      ['ADDED', 'a'],
      ['ADDED', 'b'],
      ['ERROR', '20'],
    ],
  )
  assert.deepEqual([seen[0]?.object['kind'], seen[0]?.object['apiVersion']], ['Pod', 'v1'])
  await edge.stop()
})

test('an event of a watch that nobody reads any more is refused, so that the cloud ends it', async () => {
  const { edge } = await start(() => undefined)
  const route = {
    source: 'dynamiccontroller',
    group: 'dynamiccontroller',
    operation: 'update',
    resource: 'watchapp/events',
  }
  const frame = edge.cloud.say(route, { skerry: { watch: 'another', events: [] } })
  await edge.advance(1)
  const receipt = edge.cloud.received.find(({ header }) => header.parent_msg_id === frame.header.msg_id)
  assert.equal(receipt?.route.operation, 'error')
  await edge.stop()
})

test('a watch at an original cloud tells its objects as events, outlives the link, and is told to the cloud again', async () => {
  const { edge, asked, applications } = await start((each, frame) => {
    if (frame.route.resource === 'watchapp/sync') return {}
    return { ...each, Status: 'Approved' }
  }, false)
  const seen: WatchedEvent[] = []
  const reader = new AbortController()
  const options = { labelSelector: 'app=till' }
  const done = collect(applications.watch({ at: PODS, options }, reader.signal), seen)
  await edge.advance(1)
  const labelled = (name: string, version: string, app = 'till') => {
    const object = pod(name, version)
    return { ...object, metadata: { ...Object(object['metadata']), labels: { app } } }
  }
  const say = (operation: string, object: JsonObject, namespace = 'shop') => {
    const { name, resourceVersion } = Object(object['metadata'])
    const resource = `${namespace}/pod/${name}`
    edge.cloud.say({ source: 'dynamiccontroller', group: 'resource', operation, resource }, object, resourceVersion)
  }
  say('insert', labelled('a', '1'))
  say('insert', labelled('a', '1'), 'other')
  say('insert', labelled('b', '2', 'other'))
  say('update', labelled('a', '3'))
  await edge.advance(1)
  edge.dialer.pair?.cut('the cable')
  await edge.advance(60_000)
  say('insert', labelled('a', '3'))
  say('delete', labelled('a', '3'))
  await edge.advance(1)
  assert.deepEqual(
    seen.map(({ type, object }) => `${type} ${Object(object['metadata']).resourceVersion}`),
    ['ADDED 1', 'MODIFIED 3', 'DELETED 3'],
  )
  const syncs = asked.filter(({ route }) => route.resource === 'watchapp/sync')
  const [sync] = syncs
  const [watch] = asked
  const id = String(Object(watch?.content).ID)
  assert.deepEqual(Object.keys(Object(sync?.content)), [id])
  assert.equal(Object(sync?.content)[id].Verb, 'watch')
  reader.abort(new Error('read enough'))
  await edge.advance(1)
  await done
  assert.deepEqual(asked.at(-1)?.content, {})
  assert.equal(asked.at(-1)?.route.resource, 'watchapp/sync')
  await edge.stop()
})

async function collect(events: AsyncIterable<WatchedEvent>, into: WatchedEvent[]): Promise<void> {
  try {
    for await (const event of events) into.push(event)
  } catch (error) {
    if (!(error instanceof Error) || error.message !== 'read enough') throw error
  }
}
