import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ms, seconds } from '../../../platform/time/index.ts'
import { type DeviceCall, type DeviceMethod, deviceCalls, deviceRefusals } from '../../../schemas/index.ts'
import { DeviceSilentError, type Mapper } from '../../contract/index.ts'
import { FakeField, fakeMapper } from '../testing/fake-mapper.ts'
import { fakeDevice, hostBench } from '../testing/host-bench.ts'

const METHODS: readonly DeviceMethod[] = [
  { name: 'start', propertyNames: ['speed', 'running', 'load'] },
  { name: 'look', propertyNames: ['load'] },
  { name: 'reset', propertyNames: ['speed', 'blink'] },
  { name: 'idle' },
  { name: 'shift', propertyNames: ['speed', 'gear'] },
  { name: 'lost', propertyNames: ['nowhere'] },
]

type Fake = ReturnType<typeof fakeMapper>

async function start(change: (mapper: Fake) => Partial<Fake> = () => ({}), methods = METHODS) {
  const field = new FakeField()
  field.values.set('load', 7)
  const plain = fakeMapper(field)
  const called: unknown[] = []
  const mapper: Mapper<unknown, unknown, AsyncDisposable> = {
    ...plain,
    isCallable: ({ address }) => address === 'blink',
    async call(_connection, { arguments: given }) {
      called.push(given)
      return given[0] === 'bad'
        ? { ok: false, error: new Error('the device knows no such thing') }
        : { ok: true, value: [...given, 'done'] }
    },
    ...change(plain),
  }
  const bench = hostBench(mapper)
  const assigned = fakeDevice('pump', {
    speed: { maximum: '3000' },
    running: { type: 'BOOLEAN' },
    load: { accessMode: 'ReadOnly' },
    blink: { type: 'STRING' },
    gear: { visitors: { configData: { address: 'gear', convert: { bits: { first: 0, count: 3 } } } } },
  })
  bench.assign({ ...assigned, device: { ...assigned.device, spec: { ...assigned.device.spec, methods } } })
  await bench.advance(10)
  const call = async (method: string, given: DeviceCall['arguments'] = {}, timeout = 5000) => {
    const question = { id: 'default/pump', method, arguments: given, timeout }
    const answer = bench.bus.request(deviceCalls('fake'), question, { deadline: seconds(60) })
    await bench.advance(100)
    return answer
  }
  return { ...bench, field, called, call }
}

describe('a call of a method', () => {
  it('writes its arguments converted to their types, and answers with what the device says of all its properties', async () => {
    const { call, field, values, stop } = await start()
    const answer = await call('start', { speed: '1500', running: true })
    assert.deepEqual(answer, { ok: true, results: { speed: '1500', running: 'true', load: '7' } })
    assert.deepEqual(field.written, [
      ['speed', 1500],
      ['running', true],
    ])
    assert.equal(values('pump', 'speed').at(-1), '1500', 'the twin hears of it too')
    await stop()
  })

  it('reads when it has nothing to write', async () => {
    const { call, field, stop } = await start()
    field.values.set('load', 9)
    assert.deepEqual(await call('look'), { ok: true, results: { load: '9' } })
    assert.deepEqual(field.written, [])
    await stop()
  })

  it('calls what can only be called, after the writes, with one argument or a list', async () => {
    const { call, called, stop } = await start()
    assert.deepEqual(await call('reset', { speed: 1, blink: [3, 'x'] }), {
      ok: true,
      results: { speed: '1', blink: ['3', 'x', 'done'] },
    })
    assert.deepEqual(await call('reset', { blink: 'bad' }), {
      ok: false,
      code: 502,
      reason: 'blink: the device knows no such thing',
    })
    assert.deepEqual(called, [[3, 'x'], ['bad']])
    await stop()
  })

  const refused: readonly [string, string, DeviceCall['arguments'], number, RegExp][] = [
    ['an unknown method', 'explode', {}, 404, /has no method explode; it has start, look, reset, idle, shift, lost/],
    ['an unknown property', 'start', { color: 'red' }, 400, /start takes no color; it has speed, running, load/],
    ['a property of another method', 'look', { speed: 1 }, 400, /look takes no speed/],
    ['a value of another type', 'start', { speed: 'fast' }, 400, /speed: fast must be an integer/],
    ['a value out of bounds', 'start', { speed: 3001 }, 400, /speed: 3001 must be less than or equal to 3000/],
    ['a ReadOnly property', 'start', { load: 1 }, 400, /load: .*ReadOnly/],
    ['a list for a value', 'start', { speed: [1, 2] }, 400, /speed: takes one value/],
    ['a method without properties', 'idle', {}, 400, /names no properties/],
    ['a method of a property that is not there', 'lost', {}, 400, /nowhere of method lost is not served/],
    ['a property inherited by every object', 'start', { constructor: 1 }, 400, /takes no constructor/],
  ]
  for (const [what, method, given, code, reason] of refused) {
    it(`is refused for ${what}, and nothing reaches the device`, async () => {
      const { call, field, stop } = await start()
      const answer = await call(method, { ...given, ...(method === 'start' ? { running: true } : {}) })
      assert.ok(!answer.ok)
      assert.equal(answer.code, code)
      assert.match(answer.reason, reason)
      assert.deepEqual(field.written, [])
      await stop()
    })
  }

  it('C83: is refused for unknown methods and properties, and its values are of the type of the model', async () => {
    const { call, field, stop } = await start()
    for (const [method, given] of [
      ['explode', {}],
      ['start', { color: 'red' }],
      ['start', { speed: '12.5' }],
      ['start', { running: 'maybe' }],
    ] as const) {
      const answer = await call(method, given)
      assert.ok(!answer.ok && answer.code < 500)
    }
    assert.deepEqual(field.written, [])
    await call('start', { speed: '0012', running: 'true' })
    assert.deepEqual(field.written, [
      ['speed', 12],
      ['running', true],
    ])
    await stop()
  })

  it('writes nothing at all where one of its values cannot be on the device', async () => {
    const { call, field, stop } = await start()
    const answer = await call('shift', { speed: 5, gear: 9 })
    assert.deepEqual(answer, {
      ok: false,
      code: 400,
      reason: 'gear: 9 does not fit into 3 bits, which hold 0 to 7',
    })
    assert.deepEqual(field.written, [])
    await stop()
  })

  it('says what was done before it failed', async () => {
    const { call, field, stop } = await start()
    field.broken.set('load', 'worn out')
    const answer = await call('start', { speed: 5 })
    assert.deepEqual(answer, {
      ok: false,
      code: 502,
      reason: 'load: worn out',
      results: { speed: '5', running: 'false' },
    })
    await stop()
  })

  it('fails when the device keeps its own value', async () => {
    const { call, field, stop } = await start()
    field.stubborn.add('speed')
    const answer = await call('start', { speed: 5 })
    assert.ok(!answer.ok && answer.code === 502)
    assert.match(answer.reason, /5 was written, but the device answers 0/)
    await stop()
  })

  it('leaves desired values alone: the next connection writes them again', async () => {
    const { call, field, order, advance, stop } = await start()
    order('pump', { speed: ['1', 'wish-1'] })
    await advance(50)
    assert.equal((await call('start', { speed: 2 })).ok, true)
    assert.equal(field.values.get('speed'), 2)
    field.breaks = 'cable'
    await advance(1100)
    field.breaks = undefined
    await advance(5000)
    assert.equal(field.values.get('speed'), 1)
    await stop()
  })

  it('is refused while the device is away, and while it is none of this node', async () => {
    const { call, field, bus, advance, stop } = await start()
    field.refuses = 'no route'
    field.breaks = 'cable'
    await advance(1100)
    const away = await call('look')
    assert.ok(!away.ok && away.code === 503)
    const question = { id: 'default/other', method: 'look', arguments: {}, timeout: 100 }
    const other = await bus.request(deviceCalls('fake'), question, { deadline: seconds(1) })
    assert.ok(!other.ok && other.code === 503)
    await stop()
  })

  it('answers in time although the device takes longer, and keeps the connection', async () => {
    const { call, field, advance, stop } = await start()
    const { promise, resolve } = Promise.withResolvers<void>()
    field.stalled = promise
    const answer = await call('look', {}, 50)
    assert.ok(!answer.ok && answer.code === 504)
    assert.match(answer.reason, /no answer within 50 ms/)
    resolve()
    field.stalled = undefined
    await advance(100)
    assert.equal(field.connects, 1)
    await stop()
  })

  it('that a device does not answer is told as no answer', async () => {
    const { call, stop } = await start(() => ({
      call: async () => {
        throw new DeviceSilentError('nobody home')
      },
    }))
    const answer = await call('reset', { blink: 1 })
    assert.ok(!answer.ok && answer.code === 504)
    await stop()
  })

  it('gives a method the time of its caller where that is longer than the driver usually has', async () => {
    const { call, clock, stop } = await start(() => ({
      call: async (_connection, _call, signal) => {
        await clock.sleep(ms(8000), signal)
        return { ok: true, value: [] }
      },
    }))
    const answering = call('reset', { blink: 1 }, 10_000)
    await clock.advance(ms(9000))
    assert.deepEqual(await answering, { ok: true, results: { blink: null, speed: '0' } })
    await stop()
  })
})

it('a method that names nothing to be found is a warning, and the device is served', async () => {
  const { bus, values, stop } = await start()
  const refusals = bus.get(deviceRefusals, 'default/pump') ?? []
  assert.deepEqual(
    refusals.map(({ pointer, warning }) => [pointer, warning]),
    [
      ['/spec/methods/3/propertyNames', true],
      ['/spec/methods/5/propertyNames/0', true],
    ],
  )
  assert.equal(values('pump', 'load').at(-1), '7')
  await stop()
})
