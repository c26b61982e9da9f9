import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { DataType } from 'node-opcua-client'
import type { ServerSession } from 'node-opcua-server'
import { mapperFor, Reports, type TestVisit, visitOf } from './testing/client.ts'
import { HOST, nodeOf, type Plant, type PlantDoor, startPlant } from './testing/plant.ts'

let plant: Plant
before(async () => {
  plant = await startPlant()
})
after(() => plant.close())

/** A watch on a door of its own; `again` is what the host does after a loss. */
async function watched(t: TestContext, more: object = {}, ...nodes: readonly string[]) {
  const door = await plant.door()
  const mapper = await mapperFor(t)
  const config = { url: door.url, securityMode: 'None', ...more }
  const visits: readonly TestVisit[] = (nodes.length > 0 ? nodes : ['Level']).map((name) =>
    visitOf(config, { nodeId: nodeOf(name) }),
  )
  const stop = new AbortController()
  t.after(async () => {
    stop.abort(new Error('the test is over'))
    await door[Symbol.asyncDispose]()
  })
  const begin = async () => {
    const connection = await mapper.connect(config)
    const reports = new Reports()
    const watching = connection.watch(visits, reports.report, stop.signal)
    watching.catch(() => undefined)
    return { connection, reports, watching }
  }
  return { door, begin }
}

async function survives(
  t: TestContext,
  lose: (door: PlantDoor) => Promise<void> | void,
  reason: RegExp,
  more: object = {},
) {
  const { door, begin } = await watched(t, more)
  plant.set('Level', DataType.Double, 1)
  const first = await begin()
  await first.reports.value(1)
  await lose(door)
  await assert.rejects(first.watching, reason)
  await first.connection[Symbol.asyncDispose]()
  await door.resume()
  plant.set('Level', DataType.Double, 2)
  const second = await begin()
  await second.reports.value(2)
  plant.set('Level', DataType.Double, 3)
  await second.reports.value(3)
}

describe('a watch ends, and a new one reports again,', () => {
  it('after the socket was killed', (t) =>
    survives(t, (door) => door.drop(), /^Error: the server closed the connection$/))

  it('after the server has ended the session', (t) =>
    survives(
      t,
      () => {
        for (const session of sessions())
          plant.inner.server.engine.closeSession(session.authenticationToken, true, 'Timeout')
      },
      /^Error: the (server has ended the session: Bad(SessionIdInvalid|SessionClosed)|session has ended: \w+|subscription has ended)$/,
    ))

  it('after the server has deleted the subscription', (t) =>
    survives(
      t,
      () => {
        for (const session of sessions()) {
          for (const subscription of session.publishEngine.subscriptions) subscription.terminate()
        }
      },
      /^Error: the (server has ended the subscription: \w+|subscription has ended|server has said nothing for \d+ ms)$/,
      { keepAlive: 100, timeout: 300 },
    ))

  it('when the server says nothing any more', (t) =>
    survives(t, (door) => door.silence(), /^Error: the server has said nothing for \d+ ms$/, {
      keepAlive: 100,
      timeout: 300,
    }))

  it('after the server has started anew', async (t) => {
    const { door, begin } = await watched(t)
    plant.set('Level', DataType.Double, 1)
    const first = await begin()
    await first.reports.value(1)
    const other = await startPlant()
    t.after(() => other.close())
    door.proxy.leadTo(HOST, other.inner.port)
    door.drop()
    await assert.rejects(first.watching, /^Error: the server closed the connection$/)
    other.set('Level', DataType.Double, 7)
    const second = await begin()
    await second.reports.value(7)
  })
})

/** The library keeps them to itself. */
function sessions(): readonly ServerSession[]
function sessions(): readonly unknown[] {
  return Object.values(Object(Reflect.get(plant.inner.server.engine, '_sessions')))
}

describe('a watch', () => {
  it('hears of a node that appears later, and of one that is gone for a while', async (t) => {
    const { begin } = await watched(t, {}, 'Level', 'Later')
    const { reports } = await begin()
    await reports.failure(/BadNodeIdUnknown/)
    const space = plant.inner.space
    const namespace = space.getNamespace(plant.namespace)
    const add = (value: number) =>
      namespace.addVariable({
        organizedBy: space.rootFolder.objects,
        browseName: 'Later',
        nodeId: 's=Later',
        dataType: DataType.Double,
        value: { dataType: DataType.Double, value },
      })
    const node = add(5)
    await reports.value(5)
    space.deleteNode(node)
    const seen = reports.seen.length
    await reports.until('that the node is gone', (outcome) => !outcome.ok && reports.seen.indexOf(outcome) >= seen)
    add(6)
    await reports.value(6)
  })

  it('reads the devices for which the server takes no further subscription', async (t) => {
    const small = await startPlant({ subscriptionsPerSession: 1 })
    const door = await small.door()
    const mapper = await mapperFor(t)
    const stop = new AbortController()
    t.after(async () => {
      stop.abort(new Error('the test is over'))
      await door[Symbol.asyncDispose]()
      await small.close()
    })
    const config = { url: door.url, securityMode: 'None', samplingInterval: 20 }
    const connection = await mapper.connect(config)
    const watching = ['One.Count', 'Two.Count'].map((name) => {
      const reports = new Reports()
      const over = connection.watch([visitOf(config, { nodeId: nodeOf(name) })], reports.report, stop.signal)
      over.catch(() => undefined)
      return reports
    })
    await watching[0]?.value(1500)
    await watching[1]?.value(1501)
    assert.deepEqual(mapper.told, ['The server takes no subscription: its values are read instead'])
    for (const [name, value] of [
      ['One.Count', 7],
      ['Two.Count', 8],
    ] as const)
      small.set(name, DataType.Int32, value)
    await watching[0]?.value(7)
    await watching[1]?.value(8)
  })

  it('reads where it is told to', async (t) => {
    const { begin } = await watched(t, { subscribe: false, samplingInterval: 20 })
    plant.set('Level', DataType.Double, 1)
    const { reports } = await begin()
    await reports.value(1)
    plant.set('Level', DataType.Double, 2)
    await reports.value(2)
  })

  it('of a thousand values has all of them', async (t) => {
    const names = Array.from({ length: 1000 }, (_, at) => `M${at}`)
    const { begin } = await watched(t, {}, ...names)
    const { reports } = await begin()
    await reports.until('all', () => reports.seen.length >= 1000)
    assert.deepEqual(new Set(reports.values), new Set(names.map((_, at) => at)))
  })
})
