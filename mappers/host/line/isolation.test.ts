import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { seconds } from '../../../platform/time/index.ts'
import { type DeviceMethod, deviceCalls } from '../../../schemas/index.ts'
import { DeviceSilentError } from '../../contract/index.ts'
import { type AnyMapper, admit } from '../admission/admission.ts'
import { defaultSettings } from '../settings.ts'
import { createStats, deviceStats } from '../stats.ts'
import { busMapper, FakeBus, recordingMapper } from '../testing/fake-bus.ts'
import { FakeField, fakeMapper } from '../testing/fake-mapper.ts'
import { fakeDevice, hostBench, steadyRandom } from '../testing/host-bench.ts'
import { Dispatch } from './dispatch.ts'
import { Reporter } from './reporter.ts'
import { ServedDevice } from './served-device.ts'
import { Works } from './works.ts'

function onBus(t: TestContext, mapperOf: (bus: FakeBus) => AnyMapper = busMapper) {
  const field = new FakeBus()
  const host = hostBench(mapperOf(field))
  t.after(host.stop)
  return { ...host, field }
}

function onField(t: TestContext, mapperOf: (field: FakeField) => AnyMapper) {
  const field = new FakeField()
  const host = hostBench(mapperOf(field))
  t.after(host.stop)
  return { ...host, field }
}

describe('neighbours on a connection', () => {
  it('are read although an order of one of them ends the connection each time', async (t) => {
    const host = onField(t, (field) => {
      const sound: AnyMapper = fakeMapper(field)
      return {
        ...sound,
        write: async (connection, orders, signal) => {
          if (orders.some(({ value }) => value === 666)) throw new Error('the gateway hung up')
          return (await sound.write?.(connection, orders, signal)) ?? new Map()
        },
      }
    })
    host.assign(fakeDevice('poisoned', { a: {} }))
    host.assign(fakeDevice('neighbour', { b: {} }))
    await host.advance(5000)
    host.order('poisoned', { a: ['666', 'o-1'] })
    host.order('neighbour', { b: ['7', 'o-2'] })
    await host.advance(60_000)
    host.field.batches.length = 0
    const before = host.field.connects
    await host.advance(600_000)
    const reads = host.field.batches.filter((batch) => batch.includes('b')).length
    assert.ok(reads >= 582, `${reads} reads in 600 cycles`)
    assert.ok(host.field.connects - before <= 25, `${host.field.connects - before} connections were lost`)
    assert.equal(host.field.values.get('b'), 7)
    assert.equal(host.writes().findLast(({ orderId }) => orderId === 'o-1')?.failure?.reason, 'ConnectionLost')
  })

  for (const [what, poison] of [
    ['ends the connection each time it is read', () => Promise.reject(new Error('frames out of step'))],
    ['hangs each time it is read', () => new Promise<never>(() => undefined)],
  ] as const) {
    it(`lose a few percent at most to a device that ${what}, which is tried again`, async (t) => {
      let isPoisoned = true
      const host = onBus(t, (bus) => {
        const sound: AnyMapper = busMapper(bus)
        return {
          ...sound,
          read: async (connection, visits, signal) => {
            if (isPoisoned && visits.some(({ deviceId }) => deviceId === 'default/u2')) return poison()
            return (await sound.read?.(connection, visits, signal)) ?? new Map()
          },
        }
      })
      for (const unit of [1, 2, 3]) host.assign(fakeDevice(`u${unit}`, { a: {} }, { line: 'x', unit }))
      await host.advance(300_000)
      host.field.calls.length = 0
      await host.advance(900_000)
      for (const unit of [1, 3]) {
        assert.ok(host.field.callsOf(unit) >= 873, `${host.field.callsOf(unit)} reads of unit ${unit} in 900 cycles`)
      }
      assert.equal(host.states.findLast(({ id }) => id === 'default/u2')?.state, 'offline')
      isPoisoned = false
      await host.advance(125_000)
      assert.equal(host.states.findLast(({ id }) => id === 'default/u2')?.state, 'online')
      host.field.calls.length = 0
      await host.advance(100_000)
      assert.ok(host.field.callsOf(2) >= 99)
    })
  }

  it('are not suspected of each other when the connection itself fails now and then', async (t) => {
    const host = onBus(t)
    for (const unit of [1, 2, 3]) host.assign(fakeDevice(`u${unit}`, { a: {} }, { line: 'x', unit }))
    await host.advance(10_000)
    host.field.calls.length = 0
    for (let minute = 0; minute < 30; minute++) {
      host.field.breaks = 'the gateway starts anew'
      await host.advance(1000)
      host.field.breaks = undefined
      await host.advance(59_000)
    }
    for (const unit of [1, 2, 3]) {
      assert.ok(host.field.callsOf(unit) >= 1700, `${host.field.callsOf(unit)} reads of unit ${unit} in 1800 cycles`)
    }
  })

  it('are not kept away by one whose configuration nobody can connect with', async (t) => {
    const host = onField(t, (field) => ({
      ...fakeMapper(field),
      connect: (device, context) => {
        if (device !== null && typeof device === 'object' && 'unit' in device && device.unit === 13) {
          return Promise.reject(new Error('wrong password'))
        }
        return field.connect(context.signal)
      },
    }))
    host.assign(fakeDevice('wrong', { a: {} }, { line: 'a', unit: 13 }))
    host.assign(fakeDevice('right', { b: {} }, { line: 'a', unit: 2 }))
    await host.advance(2000)
    assert.deepEqual(host.values('right', 'b'), ['0'])
    host.field.breaks = 'cable pulled'
    await host.advance(1500)
    host.field.breaks = undefined
    await host.advance(1000)
    assert.equal(host.states.findLast(({ id }) => id === 'default/right')?.state, 'online')
  })

  it('are not counted together with one that left while it was waited for', (t) => {
    const { clock, bus, log } = hostless(t)
    const mapper = busMapper(new FakeBus())
    const ground = { clock, random: steadyRandom, log, settings: defaultSettings, stats: createStats() }
    const reporter = new Reporter({ ...ground, bus, isCurrent: () => true })
    const dispatch = new Dispatch({
      ...{ epoch: 0, now: 0, random: steadyRandom, probe: defaultSettings.reconnect },
      ...{ works: new Works(clock), hasHistory: () => false },
    })
    const [gone, stays] = [1, 2].map((unit) => {
      const { plan } = admit(mapper, fakeDevice(`u${unit}`, { a: {} }, { line: 'x', unit }), unit)
      const device = new ServedDevice(plan ?? assert.fail(), {
        ...{ ...ground, reporter },
        stats: deviceStats(ground.stats, `u${unit}`),
      })
      dispatch.add(device, 0)
      return device
    })
    assert.ok(gone && stays)
    const job = dispatch.next(0)
    assert.ok(job?.kind === 'read')
    dispatch.remove(gone)
    dispatch.silent(job.peer, 'nobody home', 1000, 1000)
    assert.equal(dispatch.areAllSilent, false)
    dispatch.silent(dispatch.peerOf(stays) ?? assert.fail(), 'nobody home', 1000, 2000)
    assert.equal(dispatch.areAllSilent, true)
  })
})

describe('orders', () => {
  it('are written although somebody calls methods all the time', async (t) => {
    const host = onBus(t, (bus) => ({
      ...busMapper(bus),
      call: async (_connection, call, signal) => {
        await bus.call(
          'call',
          [{ ...call, device: { line: 'x', unit: 1 }, visitor: { address: '', method: true } }],
          signal,
        )
        return { ok: true, value: [] }
      },
    }))
    const visitors = { configData: { address: 'start', method: true } }
    const methods: readonly DeviceMethod[] = [{ name: 'run', propertyNames: ['start'] }]
    const assigned = fakeDevice('d', { a: {}, start: { visitors } }, { line: 'x' })
    host.assign({ ...assigned, device: { ...assigned.device, spec: { ...assigned.device.spec, methods } } })
    await host.advance(500)
    const question = { id: 'default/d', method: 'run', arguments: {}, timeout: 60_000 }
    let calling = true
    const caller = async () => {
      while (calling)
        await host.bus.request(deviceCalls('fake'), question, { deadline: seconds(60) }).catch(() => undefined)
    }
    const callers = [caller(), caller(), caller()]
    await host.advance(500)
    host.order('d', { a: ['5', 'o-1'] })
    await host.advance(500)
    assert.deepEqual(host.field.written, [['1:a', 5]])
    calling = false
    await host.advance(2000)
    await Promise.all(callers)
    assert.ok(host.field.callsOf(1, 'call') > 20)
  })
})

describe('a device that can only be called', () => {
  const only = (name: string, unit: number) =>
    fakeDevice(name, { start: { visitors: { configData: { address: 'start', method: true } } } }, { line: 'x', unit })

  it('is online with its connection, also when it joins one that is open', async (t) => {
    const host = onBus(t)
    host.assign(fakeDevice('d', { a: {} }, { line: 'x', unit: 1 }))
    await host.advance(1000)
    host.assign(only('e', 2))
    await host.advance(0)
    assert.deepEqual(host.states.at(-1), { id: 'default/e', state: 'online' })
    host.assign(only('f', 3))
    host.unassign('d')
    host.unassign('e')
    host.field.breaks = 'cable pulled'
    await host.advance(1000)
    assert.deepEqual(host.states.at(-1), { id: 'default/f', state: 'online' })
  })

  it('that did not answer a call is online again when it may be called again', async (t) => {
    const host = onBus(t, (bus) => ({
      ...busMapper(bus),
      call: async () => {
        throw new DeviceSilentError('nobody home')
      },
    }))
    host.assign(fakeDevice('d', { a: {} }, { line: 'x', unit: 1 }))
    const assigned = only('e', 2)
    const methods: readonly DeviceMethod[] = [{ name: 'run', propertyNames: ['start'] }]
    host.assign({ ...assigned, device: { ...assigned.device, spec: { ...assigned.device.spec, methods } } })
    await host.advance(1000)
    const question = { id: 'default/e', method: 'run', arguments: {}, timeout: 1000 }
    const answer = host.bus.request(deviceCalls('fake'), question, { deadline: seconds(2) })
    await host.advance(100)
    assert.equal((await answer).ok, false)
    const stateOf = () => host.states.findLast(({ id }) => id === 'default/e')?.state
    assert.equal(stateOf(), 'offline')
    await host.advance(2000)
    assert.equal(stateOf(), 'online')
  })
})

describe('a value that is pushed while it is read', () => {
  it('is newer than what the read brings', async (t) => {
    let push: ((value: number) => void) | undefined
    const { promise, resolve } = Promise.withResolvers<void>()
    const host = onField(t, (field) => ({
      ...fakeMapper(field),
      watch: (_connection, visits, report, signal) =>
        new Promise<void>((ended) => {
          push = (value) => {
            for (const { id } of visits) report(id, { ok: true, value: { value } })
          }
          signal.addEventListener('abort', () => ended(), { once: true })
        }),
    }))
    const { device, model } = fakeDevice('d', { a: {} })
    const annotations = { 'skerry.dev/time-to-live': '9s' }
    host.assign({ device: { ...device, metadata: { ...device.metadata, annotations } }, ...(model ? { model } : {}) })
    await host.advance(1000)
    host.field.values.set('a', 1)
    host.field.stalled = promise
    await host.advance(3000)
    push?.(2)
    resolve()
    await host.advance(100)
    assert.equal(host.values('d', 'a').at(-1), '2')
  })
})

describe('a history that cannot be had', () => {
  const outage = async (host: ReturnType<typeof onBus>) => {
    host.assign(fakeDevice('d', { a: {} }, { line: 'x', unit: 1 }))
    host.assign(fakeDevice('e', { a: {} }, { line: 'x', unit: 2 }))
    await host.advance(3500)
    host.field.off.add(1)
    await host.advance(5000)
    host.field.off.delete(1)
    host.field.values.set('1:a', 9)
  }

  it('because its driver hangs for ever is asked for once, and the device is read', async (t) => {
    let calls = 0
    const host = onBus(t, (bus) => ({
      ...recordingMapper(bus),
      history: () => {
        calls++
        return new Promise(() => undefined)
      },
    }))
    await outage(host)
    await host.advance(120_000)
    assert.equal(host.values('d', 'a').at(-1), '9')
    assert.equal(calls, 1)
    host.field.calls.length = 0
    await host.advance(10_000)
    assert.ok(host.field.callsOf(1) >= 9 && host.field.callsOf(2) >= 9)
  })

  it('because the device falls silent over it is given up, and the device is read', async (t) => {
    const host = onBus(t, (bus) => ({
      ...recordingMapper(bus),
      history: async () => {
        throw new DeviceSilentError('too much for me')
      },
    }))
    await outage(host)
    await host.advance(60_000)
    assert.equal(host.values('d', 'a').at(-1), '9')
    assert.equal(host.states.findLast(({ id }) => id === 'default/d')?.state, 'online')
  })
})

function hostless(t: TestContext) {
  const host = onBus(t)
  return { clock: host.clock, bus: host.bus, log: host.log }
}
