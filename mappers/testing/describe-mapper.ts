import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { silentLogger } from '../../platform/log/index.ts'
import { ms, seconds, systemClock, withDeadline } from '../../platform/time/index.ts'
import type { AccessMode, AssignedDevice, JsonObject, PropertyType, PropertyValue } from '../../schemas/index.ts'
import type { Mapper, Order, Reading, Results, Visit } from '../contract/index.ts'
import { admit } from '../host/admission/admission.ts'

type AnyMapper = Mapper<unknown, unknown, AsyncDisposable>
type AnyVisit = Visit<unknown, unknown>

/** A real server of the protocol in this process, on a free port, whose faults can be scripted. */
export interface ConformanceServer extends AsyncDisposable {
  /** Links that are open just now. */
  readonly connections: number
  /** Requests that arrived, answered or not. */
  readonly requests: number
  /** Takes requests and answers none. */
  silence(): void
  /** Takes back silence. */
  resume(): Promise<void>
  /** Ends every link; new ones are welcome. */
  drop(): void
}

/** One property as a manifest declares it. */
export interface ConformanceProperty {
  readonly type: PropertyType
  readonly accessMode?: AccessMode
  readonly visitor: JsonObject
}

export interface ConformanceCases {
  /** Values that the server holds from its start. */
  readonly readable: readonly (ConformanceProperty & { readonly value: PropertyValue })[]
  /** Can be written with this value, and read back. */
  readonly writable?: ConformanceProperty & { readonly value: PropertyValue }
  /** Is answered with an error by the server, alone. */
  readonly broken: ConformanceProperty
  /** Is answered with an error when it is written. */
  readonly unwritable?: ConformanceProperty & { readonly value: PropertyValue }
  /** A visitor that must be refused before any connection. */
  readonly refused: ConformanceProperty
  /** One of a thousand different properties that the server holds. */
  many(index: number): ConformanceProperty
}

export interface ConformanceSubject<Device, Visitor, Connection extends AsyncDisposable> {
  readonly mapper: Mapper<Device, Visitor, Connection>
  server(): Promise<ConformanceServer>
  /** `protocol.configData` of a device on that server; 0 and 1 are different devices behind the same link. */
  device(server: ConformanceServer, index: 0 | 1): JsonObject
  readonly cases: ConformanceCases
}

const PROMPT = seconds(2)

/** What every mapper that can read promises its host, tried against a real server. */
export function describeMapper<Device, Visitor, Connection extends AsyncDisposable>(
  subject: ConformanceSubject<Device, Visitor, Connection>,
): void {
  const { mapper, cases } = subject
  describe(`mapper ${mapper.protocol} keeps the contract`, () => {
    it('admits a good device, and refuses a bad visitor with a pointer, offline', () => {
      const good = admit(mapper, assigned(mapper, { a: cases.readable[0] ?? cases.broken }, offlineConfig(subject)), 1)
      assert.deepEqual(good.refusals, [])
      const bad = admit(mapper, assigned(mapper, { a: cases.refused }, offlineConfig(subject)), 1)
      assert.equal(bad.plan, undefined)
      assert.match(bad.refusals[0]?.pointer ?? '', /^\/spec\/properties\/0\/visitors\/configData/)
      assert.notEqual(bad.refusals[0]?.message, '')
    })

    it('rejects connecting when the signal has aborted before', async (t) => {
      const bench = await start(t, subject)
      const reason = new Error('too late')
      await assert.rejects(bench.connect(AbortSignal.abort(reason)))
      assert.equal(bench.server.connections, 0)
    })

    it('reads what the server holds, with one outcome per visit', async (t) => {
      const bench = await start(t, subject)
      const visits = bench.visits(cases.readable)
      const results = await bench.read(await bench.connect(), visits)
      assert.deepEqual(
        valuesOf(results, visits),
        cases.readable.map(({ value }) => value),
      )
    })

    it('loses no value to a neighbour that fails', async (t) => {
      const bench = await start(t, subject)
      const visits = bench.visits([...cases.readable, cases.broken])
      const connection = await bench.connect()
      for (let again = 0; again < 2; again++) {
        const results = await bench.read(connection, visits)
        assert.equal(results.size, visits.length)
        assert.deepEqual(
          valuesOf(results, visits.slice(0, -1)),
          cases.readable.map(({ value }) => value),
        )
        const failed = results.get(visits.at(-1)?.id ?? assert.fail())
        assert.ok(failed && !failed.ok && failed.error.message !== '')
      }
    })

    it('writes, and a write that is refused is an outcome, not a throw', async (t) => {
      const { writable, unwritable } = cases
      if (!mapper.write || !writable) return t.skip('the mapper cannot write')
      const bench = await start(t, subject)
      const connection = await bench.connect()
      const all = unwritable ? [writable, unwritable] : [writable]
      const orders = bench.orders(all)
      const written = await bench.write(connection, orders)
      assert.deepEqual(written.get(orders[0]?.id ?? assert.fail()), { ok: true, value: undefined })
      if (unwritable) assert.equal(written.get(orders[1]?.id ?? assert.fail())?.ok, false)
      const visits = bench.visits([writable])
      assert.deepEqual(valuesOf(await bench.read(connection, visits), visits), [writable.value])
    })

    it('gives up a silent server as soon as the signal aborts', async (t) => {
      const bench = await start(t, subject)
      const connection = await bench.connect()
      bench.server.silence()
      await assert.rejects(bench.read(connection, bench.visits(cases.readable), AbortSignal.timeout(50)))
      await prompt('disposing', connection[Symbol.asyncDispose]())
      await bench.server.resume()
      const visits = bench.visits(cases.readable)
      assert.equal((await bench.read(await bench.connect(), visits)).size, visits.length)
    })

    it('throws when the link dies in the middle of a read, and a new link works', async (t) => {
      const bench = await start(t, subject)
      const connection = await bench.connect()
      bench.server.silence()
      const before = bench.server.requests
      const rejected = assert.rejects(bench.read(connection, bench.visits(cases.readable)))
      await bench.until('a request', () => bench.server.requests > before)
      bench.server.drop()
      await prompt('noticing the dead link', rejected)
      await bench.server.resume()
      await prompt('disposing', connection[Symbol.asyncDispose]())
      const visits = bench.visits(cases.readable)
      assert.equal((await bench.read(await bench.connect(), visits)).size, visits.length)
    })

    it('throws on a link that died while nobody looked', async (t) => {
      const bench = await start(t, subject)
      const connection = await bench.connect()
      await bench.read(connection, bench.visits(cases.readable))
      bench.server.drop()
      await bench.until('no link', () => bench.server.connections === 0)
      await prompt('noticing the dead link', assert.rejects(bench.read(connection, bench.visits(cases.readable))))
    })

    it('reads two devices through one connection', async (t) => {
      const bench = await start(t, subject)
      assert.equal(bench.key(0), bench.key(1))
      const visits = [...bench.visits(cases.readable, 0), ...bench.visits(cases.readable, 1)]
      const results = await bench.read(await bench.connect(), visits)
      const values = cases.readable.map(({ value }) => value)
      assert.deepEqual(valuesOf(results, visits), [...values, ...values])
    })

    it('answers a thousand visits in one call', async (t) => {
      const bench = await start(t, subject)
      const visits = bench.visits(Array.from({ length: 1000 }, (_, index) => cases.many(index)))
      const results = await bench.read(await bench.connect(), visits)
      assert.equal(results.size, 1000)
      assert.equal([...results.values()].filter(({ ok }) => !ok).length, 0)
    })

    it('can be disposed twice, and leaves no link behind', async (t) => {
      const bench = await start(t, subject)
      const connection = await bench.connect()
      await connection[Symbol.asyncDispose]()
      await prompt('disposing again', connection[Symbol.asyncDispose]())
      await bench.until('no link', () => bench.server.connections === 0)
    })
  })
}

async function start<D, V, C extends AsyncDisposable>(t: TestContext, subject: ConformanceSubject<D, V, C>) {
  // Configs go only to the mapper that parsed them, so their types can be forgotten here.
  const mapper: AnyMapper = subject.mapper
  const server = await subject.server()
  const open: AsyncDisposable[] = []
  t.after(async () => {
    for (const connection of open) await connection[Symbol.asyncDispose]()
    if (folder !== undefined) await rm(folder, { recursive: true })
    await server[Symbol.asyncDispose]()
  })
  let folder: string | undefined
  let revision = 0
  const planOf = (properties: readonly ConformanceProperty[], index: 0 | 1) => {
    const named = Object.fromEntries(properties.map((property, at) => [`p${at}`, property]))
    const { plan, refusals } = admit(mapper, assigned(mapper, named, subject.device(server, index)), ++revision)
    return plan ?? assert.fail(`the device is refused: ${JSON.stringify(refusals)}`)
  }
  const visits = (properties: readonly ConformanceProperty[], index: 0 | 1 = 0): readonly AnyVisit[] =>
    planOf(properties, index).properties.map(({ visit }) => visit)
  return {
    server,
    visits,
    orders: (list: readonly (ConformanceProperty & { readonly value: PropertyValue })[]) => {
      const orders: Order<unknown, unknown>[] = []
      for (const [at, visit] of visits(list).entries()) orders.push({ ...visit, value: list[at]?.value ?? 0 })
      return orders
    },
    key: (index: 0 | 1) => planOf([], index).key,
    connect: async (signal: AbortSignal = new AbortController().signal) => {
      const clock = {
        now: () => systemClock.now(),
        sleep: (milliseconds: number, until: AbortSignal) => systemClock.sleep(ms(milliseconds), until),
      }
      folder ??= await mkdtemp(join(tmpdir(), 'skerry-mapper-'))
      const connection = await mapper.connect(planOf([], 0).config, { clock, log: silentLogger, signal, folder })
      open.push(connection)
      return connection
    },
    read: (connection: AsyncDisposable, list: readonly AnyVisit[], signal = new AbortController().signal) =>
      mapper.read?.(connection, list, signal) ?? assert.fail('the mapper cannot read'),
    write: (connection: AsyncDisposable, list: readonly Order<unknown, unknown>[]) =>
      mapper.write?.(connection, list, new AbortController().signal) ?? assert.fail('the mapper cannot write'),
    /** What happens at the server has no event here: looks again and again, for two seconds at most. */
    until: async (what: string, holds: () => boolean) => {
      const end = systemClock.monotonic() + PROMPT.milliseconds
      while (!holds()) {
        assert.ok(systemClock.monotonic() < end, `the server never saw ${what}`)
        await systemClock.sleep(ms(1))
      }
    },
  }
}

function prompt<T>(what: string, settling: PromiseLike<T>): Promise<T> {
  return withDeadline(systemClock, PROMPT, undefined, async () => settling).catch((error: unknown) => {
    throw new Error(`${what} failed or took more than ${PROMPT.milliseconds} ms`, { cause: error })
  })
}

function valuesOf(results: Results<Reading>, visits: readonly AnyVisit[]): readonly unknown[] {
  return visits.map(({ id }) => {
    const outcome = results.get(id)
    return outcome?.ok ? outcome.value.value : outcome
  })
}

/** The configuration of a device on a server that does not run: admission must not mind. */
function offlineConfig<D, V, C extends AsyncDisposable>(subject: ConformanceSubject<D, V, C>): JsonObject {
  const nowhere = new Error('admission must not touch the server')
  const never = () => assert.fail(nowhere)
  return subject.device(
    { connections: 0, requests: 0, silence: never, resume: never, drop: never, [Symbol.asyncDispose]: never },
    0,
  )
}

function assigned(
  mapper: { readonly protocol: string },
  properties: Readonly<Record<string, ConformanceProperty>>,
  configData: JsonObject,
): AssignedDevice {
  const entries = Object.entries(properties)
  const metadata = { name: 'device', namespace: 'default', uid: 'uid', generation: 1 }
  const apiVersion = 'devices.kubeedge.io/v1beta1'
  return {
    device: {
      apiVersion,
      kind: 'Device',
      metadata,
      spec: {
        protocol: { protocolName: mapper.protocol, configData },
        properties: entries.map(([name, { visitor }]) => ({ name, visitors: { configData: visitor } })),
      },
    },
    model: {
      apiVersion,
      kind: 'DeviceModel',
      metadata,
      spec: {
        properties: entries.map(([name, { type, accessMode = 'ReadWrite' }]) => ({ name, type, accessMode })),
      },
    },
  }
}
