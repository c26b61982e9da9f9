import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { DataType, StatusCodes } from 'node-opcua-client'
import type { PropertyType, PropertyValue } from '../../schemas/index.ts'
import { mapperFor, never, Reports, visitOf } from './testing/client.ts'
import { nodeOf, PLANT, type Plant, type PlantDoor, startPlant } from './testing/plant.ts'

let plant: Plant
let door: PlantDoor
before(async () => {
  plant = await startPlant({
    operationLimits: { maxNodesPerRead: 7, maxMonitoredItemsPerCall: 5, maxNodesPerWrite: 1 },
  })
  door = await plant.door()
})
after(async () => {
  await door[Symbol.asyncDispose]()
  await plant.close()
})

async function connected(t: TestContext) {
  const mapper = await mapperFor(t)
  const config = { url: door.url, securityMode: 'None' }
  const connection = await mapper.connect(config)
  const one = (visitor: object, type?: PropertyType) => visitOf(config, visitor, type)
  return {
    connection,
    one,
    read: async (visitor: object, type?: PropertyType) => {
      const visit = one(visitor, type)
      return (await connection.read([visit], never)).get(visit.id) ?? assert.fail('no outcome')
    },
    write: async (visitor: object, value: PropertyValue) => {
      const order = { ...one(visitor), value }
      return (await connection.write([order], never)).get(order.id) ?? assert.fail('no outcome')
    },
    call: (visitor: object, ...given: readonly PropertyValue[]) =>
      connection.call({ ...one(visitor), arguments: given }, never),
  }
}

const reasonOf = (outcome: { readonly ok: boolean; readonly error?: Error }) => outcome.error?.message ?? ''

describe('quality', () => {
  it('a bad status fails the value, by its name', async (t) => {
    const { read } = await connected(t)
    const outcome = await read({ nodeId: nodeOf('Broken') })
    assert.match(outcome.ok ? '' : outcome.error.message, /^BadSensorFailure: \w+/)
  })

  it('an uncertain status makes the value uncertain, with its name and the time of the source', async (t) => {
    const { read } = await connected(t)
    const outcome = await read({ nodeId: nodeOf('Doubtful') })
    assert.ok(outcome.ok)
    assert.equal(outcome.value.value, 5)
    assert.equal(outcome.value.quality, 'uncertain')
    assert.match(outcome.value.cause ?? '', /^UncertainLastUsableValue/)
    assert.equal(outcome.value.sourceTime, Date.parse('2030-01-31T08:00:00Z'))
  })

  it('a value forced by hand is good, and says so', async (t) => {
    const { read } = await connected(t)
    const outcome = await read({ nodeId: nodeOf('Forced') })
    assert.ok(outcome.ok && outcome.value.quality === undefined)
    assert.match(outcome.value.cause ?? '', /^GoodLocalOverride/)
  })
})

describe('an address', () => {
  it('is a node id with a number, one with a URI, or a browse path', async (t) => {
    const { read } = await connected(t)
    for (const visitor of [
      { nodeId: `ns=${plant.namespace};s=One.Count` },
      { nodeId: nodeOf('One.Count') },
      { browsePath: `/{${PLANT}}:One/${plant.namespace}:Count` },
      { BrowseName: `Objects/{${PLANT}}:One/{${PLANT}}:Count` },
    ]) {
      const outcome = await read(visitor, 'INT')
      assert.equal(outcome.ok && outcome.value.value, 1500, JSON.stringify(visitor))
    }
  })

  it('that the server does not know fails alone, and says what is there', async (t) => {
    const { read } = await connected(t)
    assert.match(
      reasonOf(await read({ nodeId: 'nsu=urn:nobody;s=x' })),
      /no namespace urn:nobody; it has: .*urn:test:plant/,
    )
    assert.match(reasonOf(await read({ nodeId: nodeOf('Nothing') })), /^BadNodeIdUnknown/)
    assert.match(reasonOf(await read({ browsePath: `/{${PLANT}}:One/{${PLANT}}:Nix` })), /nothing at .*Nix: BadNoMatch/)
  })
})

describe('writing', () => {
  it('gives each node the type that it wants', async (t) => {
    const { read, write } = await connected(t)
    for (const [name, value, type] of [
      ['Target', -1234, 'INT'],
      ['Big', 2n ** 63n - 1n, 'INT'],
      ['Level', 0.25, 'DOUBLE'],
      ['Any', 9, 'INT'],
      ['Int32s', '[4,5,6]', 'STRING'],
      ['DateTime', '2031-02-03T04:05:06.000Z', 'STRING'],
      ['ByteString', new Uint8Array([5]), 'BYTES'],
      ['LocalizedText', 'steht', 'STRING'],
      ['String', '', 'STRING'],
    ] as const) {
      assert.deepEqual(await write({ nodeId: nodeOf(name) }, value), { ok: true, value: undefined }, name)
      const outcome = await read({ nodeId: nodeOf(name) }, type)
      assert.deepEqual(outcome.ok && outcome.value.value, value, name)
    }
    assert.equal((await write({ nodeId: nodeOf('Int32s'), indexRange: '1' }, 50)).ok, true)
    const all = await read({ nodeId: nodeOf('Int32s') }, 'STRING')
    assert.equal(all.ok && all.value.value, '[4,50,6]')
  })

  it('refuses what does not fit before it is sent, and tells what the server refused', async (t) => {
    const { write } = await connected(t)
    assert.match(reasonOf(await write({ nodeId: nodeOf('Target') }, 40_000)), /40000 does not fit the Int16/)
    assert.match(reasonOf(await write({ nodeId: nodeOf('Target') }, 1.5)), /1.5 is no integer/)
    assert.match(reasonOf(await write({ nodeId: nodeOf('Int32s') }, 'one')), /wants an array: give it as JSON/)
    assert.match(reasonOf(await write({ nodeId: nodeOf('ReadOnly') }, 1)), /^BadNotWritable|^BadUserAccessDenied/)
  })
})

describe('a server that ignores ranges', () => {
  /** As some do: it answers with the whole array, and would replace all of it. */
  function ignoreRanges(name: string): void {
    const node = plant.inner.space.findNode(`ns=${plant.namespace};s=${name}`)
    if (!node) assert.fail(name)
    const answer = node.readAttribute
    Reflect.set(node, 'readAttribute', (context: unknown, attribute: unknown) =>
      Reflect.apply(answer, node, [context, attribute]),
    )
  }

  it('is neither believed nor written to: a write of one element would take the others away', async (t) => {
    const { read, write } = await connected(t)
    const element = { nodeId: nodeOf('Int64s'), indexRange: '1' }
    assert.equal((await read(element, 'INT')).ok, true)
    ignoreRanges('Int64s')
    assert.match(reasonOf(await read(element, 'INT')), /ignores indexRange: 2 elements came for 1/)
    assert.match(reasonOf(await write(element, 9)), /ignores indexRange: 2 elements came for 1/)
    const whole = await read({ nodeId: nodeOf('Int64s') }, 'STRING')
    assert.equal(whole.ok && whole.value.value, '["7","-1"]')
  })
})

describe('a method', () => {
  it('takes arguments as the server declares them, and finds its object by itself', async (t) => {
    const { call } = await connected(t)
    assert.deepEqual(await call({ method: nodeOf('Add') }, '40', 2), { ok: true, value: [42n] })
    assert.deepEqual(await call({ method: nodeOf('Add'), objectId: nodeOf('Kinds') }, -1, 0), {
      ok: true,
      value: [-1n],
    })
  })

  it('that is refused is a failed outcome', async (t) => {
    const { call } = await connected(t)
    assert.match(reasonOf(await call({ method: nodeOf('Add') }, 1)), /takes 2 arguments \(a, b\), not 1/)
    assert.match(reasonOf(await call({ method: nodeOf('Add') }, 1, 'x')), /argument b: x is no integer/)
    assert.match(reasonOf(await call({ method: nodeOf('Add') }, 1, 13)), /^BadOutOfRange/)
    assert.match(reasonOf(await call({ method: nodeOf('Nix') }, 1)), /^BadNodeIdUnknown/)
  })
})

describe('history', () => {
  const at = Date.parse('2020-01-31T08:00:00Z')

  it('fills a gap with what the server recorded, oldest first, in pages, and within the limit', async (t) => {
    for (let count = 0; count < 2500; count++) {
      plant.set('Recorded', DataType.Double, count, StatusCodes.Good, new Date(at + count * 1000))
    }
    const mapper = await mapperFor(t)
    const config = { url: door.url, securityMode: 'None' }
    const connection = await mapper.connect(config)
    const told = async (more: object, since: number) => {
      const reports = new Reports()
      const visits = [
        visitOf({ ...config, ...more }, { nodeId: nodeOf('Recorded') }),
        visitOf(config, { nodeId: nodeOf('Level') }),
      ]
      await connection.history(visits, since, reports.report, never)
      return reports
    }
    const all = await told({}, at + 10_000)
    assert.deepEqual(
      all.values,
      Array.from({ length: 2490 }, (_, index) => index + 10),
    )
    const [first] = all.seen
    assert.equal(first?.ok && first.value.sourceTime, at + 10_000)
    assert.equal((await told({ historyLimit: 1500 }, at)).values.length, 1500)
    assert.match(mapper.told.join(), /Not all that the server recorded/)
    assert.deepEqual((await told({ history: false }, at)).values, [])
  })
})

describe('browsing', () => {
  it('finds the objects of a server as devices, with types, access and addresses that stay right', async (t) => {
    const mapper = await mapperFor(t)
    const { default: opcua } = await import('./index.ts')
    const config = visitOf({ url: door.url, securityMode: 'None' }, { nodeId: 'i=1' }).device
    const found = []
    for await (const device of opcua.discover?.(config, mapper.context(never)) ?? []) found.push(device)
    assert.deepEqual(
      found.map(({ name }) => name),
      ['one', 'two', 'kinds', 'many'],
    )
    const [one, , kinds, many] = found
    assert.deepEqual(one?.device, {
      url: door.url,
      securityMode: 'None',
      trust: 'first-use',
      publishingInterval: 20,
      samplingInterval: 10,
    })
    assert.deepEqual(one?.properties, [
      { name: 'count', type: 'INT', accessMode: 'ReadWrite', visitor: { nodeId: nodeOf('One.Count') } },
    ])
    assert.equal(many?.properties.length, 1000)
    const byName = new Map(kinds?.properties.map((property) => [property.name, property]))
    assert.equal(byName.get('readOnly')?.accessMode, 'ReadOnly')
    assert.equal(byName.get('int32s')?.type, 'STRING')
    assert.deepEqual(byName.get('add')?.visitor, { method: nodeOf('Add'), objectId: nodeOf('Kinds') })
  })
})
