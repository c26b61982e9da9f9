import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '../../platform/log/index.ts'
import { type Duration, ms, systemClock, withDeadline } from '../../platform/time/index.ts'
import type { JsonObject, PropertyValue } from '../../schemas/index.ts'
import type { Discovered, Mapper, MapperContext, Order, Reading, Report, Results, Visit } from '../contract/index.ts'
import { type Admission, admit } from '../host/admission/admission.ts'
import { defaultSettings } from '../host/settings.ts'
import { assigned } from './assigned.ts'
import { Broken, must, shown } from './must.ts'
import type { ConformanceCases, ConformanceProperty, ConformanceServer, ConformanceSubject } from './subject.ts'

export type AnyMapper = Mapper<unknown, unknown, AsyncDisposable>
export type AnyVisit = Visit<unknown, unknown>
export type AnySubject = ConformanceSubject<unknown, unknown, AsyncDisposable>
type WithValue = ConformanceProperty & { readonly value: PropertyValue }

/** What a check has at hand: the subject, a server of its own once it asks for one, and calls that end. */
export class Bench implements AsyncDisposable {
  readonly subject: AnySubject
  readonly mapper: AnyMapper
  readonly cases: ConformanceCases
  /** Longest for anything that has to happen promptly. */
  readonly patience: Duration
  readonly #open: AsyncDisposable[] = []
  #server: ConformanceServer | undefined
  #folder: string | undefined
  #revision = 0

  constructor(subject: AnySubject, patience: Duration) {
    this.subject = subject
    this.mapper = subject.mapper
    this.cases = subject.cases
    this.patience = patience
  }

  async start(): Promise<ConformanceServer> {
    this.#server ??= await this.subject.server()
    return this.#server
  }

  get server(): ConformanceServer {
    return this.#server ?? fail('the check has started no server')
  }

  /** Whether a connection holds a link that the server sees. */
  get hasLinks(): boolean {
    return this.subject.links !== 'none'
  }

  configData(index: 0 | 1 = 0): JsonObject {
    return this.subject.device(this.server, index)
  }

  /** Offline: from the manifest alone. */
  admit(properties: readonly ConformanceProperty[], configData: JsonObject): Admission {
    return admit(this.mapper, assigned(this.mapper, properties, configData), ++this.#revision)
  }

  plan(properties: readonly ConformanceProperty[], index: 0 | 1 = 0) {
    const { plan, refusals } = this.admit(properties, this.configData(index))
    return plan ?? fail(`a device of the subject is refused: ${shown(refusals[0])}`)
  }

  visits(properties: readonly ConformanceProperty[], index: 0 | 1 = 0): readonly AnyVisit[] {
    const { properties: read, callables } = this.plan(properties, index)
    return Object.freeze([...read, ...callables].map(({ visit }) => visit))
  }

  orders(list: readonly WithValue[], index: 0 | 1 = 0): readonly Order<unknown, unknown>[] {
    return Object.freeze(
      this.visits(list, index).map((visit, at) => Object.freeze({ ...visit, value: list[at]?.value ?? 0 })),
    )
  }

  async connect(signal: AbortSignal = never(), index: 0 | 1 = 0): Promise<AsyncDisposable> {
    const connecting = this.mapper.connect(this.plan([], index).config, await this.#context(signal))
    const connection = await this.promptly('connecting', connecting)
    must(
      typeof connection?.[Symbol.asyncDispose] === 'function',
      'connect has to resolve to a connection with [Symbol.asyncDispose]',
    )
    this.#open.push(connection)
    return connection
  }

  /** Rejects as the mapper does. */
  async read(
    connection: AsyncDisposable,
    visits: readonly AnyVisit[],
    signal: AbortSignal = never(),
  ): Promise<Results<Reading>> {
    const results = await this.#call('read', visits, this.mapper.read?.(connection, visits, signal))
    must(results instanceof Map, `read has to resolve to a Map of outcomes, not to ${shown(results)}`)
    return results
  }

  async write(
    connection: AsyncDisposable,
    orders: readonly Order<unknown, unknown>[],
    signal: AbortSignal = never(),
  ): Promise<Results<void>> {
    const results = await this.#call('write', orders, this.mapper.write?.(connection, orders, signal))
    must(results instanceof Map, `write has to resolve to a Map of outcomes, not to ${shown(results)}`)
    return results
  }

  watch(connection: AsyncDisposable, visits: readonly AnyVisit[], report: Report, signal: AbortSignal): Promise<void> {
    return this.mapper.watch?.(connection, visits, report, signal) ?? fail('the mapper cannot watch')
  }

  /** At most a hundred, then the signal aborts. */
  async discover(): Promise<readonly Discovered[]> {
    const stop = new AbortController()
    const found: Discovered[] = []
    const context = await this.#context(stop.signal)
    for await (const each of this.mapper.discover?.(this.plan([]).config, context) ?? []) {
      found.push(each)
      if (found.length === 100) break
    }
    stop.abort(new Error('enough was found'))
    return found
  }

  async #context(signal: AbortSignal): Promise<MapperContext> {
    this.#folder ??= await mkdtemp(join(tmpdir(), 'skerry-mapper-'))
    const clock = {
      now: () => systemClock.now(),
      sleep: (milliseconds: number, until: AbortSignal) => systemClock.sleep(ms(milliseconds), until),
    }
    return { clock, log: silentLogger, signal, folder: this.#folder }
  }

  async dispose(connection: AsyncDisposable): Promise<void> {
    await this.promptly('disposing the connection', Promise.resolve(connection[Symbol.asyncDispose]()))
  }

  promptly<T>(what: string, settling: PromiseLike<T>): Promise<T> {
    return this.within(this.patience, what, settling)
  }

  async within<T>(limit: Duration, what: string, settling: PromiseLike<T>): Promise<T> {
    let isLate = false
    return withDeadline(systemClock, limit, undefined, async (signal) => {
      signal.addEventListener('abort', () => {
        isLate = true
      })
      return settling
    }).catch((cause: unknown) => {
      if (!isLate) throw cause
      throw new Broken(`${what} took more than ${limit.milliseconds} ms`)
    })
  }

  /** The host would end it at its deadline; here it has some time more. */
  #call<T>(what: string, visits: readonly AnyVisit[], calling: Promise<T> | undefined): Promise<T | undefined> {
    const [first] = visits
    const own = first && this.mapper.deadline?.(first.device, visits)
    const allowance = defaultSettings.visitAllowance.milliseconds * visits.length
    const deadline = (own ?? defaultSettings.callDeadline.milliseconds) + allowance
    return this.within(ms(deadline + this.patience.milliseconds), what, Promise.resolve(calling))
  }

  /** What it rejects with, promptly. */
  async rejects(what: string, settling: PromiseLike<unknown>): Promise<unknown> {
    const settled = settling.then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    )
    const result = await this.promptly(what, settled)
    if ('error' in result) {
      if (result.error instanceof Broken) throw result.error
      return result.error
    }
    const given = result.value instanceof Map ? [...result.value.values()] : result.value
    throw new Broken(`${what} has to reject, but it resolved to ${shown(given)}`)
  }

  /** What happens at the server has no event here: looks again and again. */
  async until(what: string, holds: () => boolean): Promise<void> {
    const end = systemClock.monotonic() + this.patience.milliseconds
    while (!holds()) {
      must(systemClock.monotonic() < end, `${what}: not within ${this.patience.milliseconds} ms`)
      await systemClock.sleep(ms(2))
    }
  }

  async untilNoLink(): Promise<void> {
    if (this.hasLinks) await this.until('the server sees no open link any more', () => this.server.connections === 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A mapper that hangs here has failed a check of its own already.
    for (const connection of this.#open) {
      await this.dispose(connection).catch(() => undefined)
    }
    const server = this.#server?.[Symbol.asyncDispose]()
    await this.promptly('ending the server of the subject', Promise.resolve(server))
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true })
  }
}

export function never(): AbortSignal {
  return new AbortController().signal
}

function fail(sentence: string): never {
  throw new Broken(sentence)
}
