import type { EventEmitter } from 'node:events'
import modbusSerial from 'modbus-serial'
import type { MapperContext } from '../contract/index.ts'
import { ModbusException, NoAnswer } from './exception.ts'
import { type Exchange, readExchange } from './line-time.ts'
import { frameOf } from './rtu-frame.ts'
import { isBitTable, type Table } from './tables.ts'
import { Watchdog } from './watchdog.ts'
import type { Target, Wire } from './wire.ts'

export type Client = InstanceType<typeof modbusSerial.default>
type Done<T> = (error: Error | null, answer: T) => void

/** What carries the frames of a client. */
export interface Link {
  readonly client: Client
  /** Where the client writes to and hears from. */
  readonly port: EventEmitter & { write(frame: Uint8Array): void }
  /** ms that request and answer spend on the line, beyond the time that the device takes. */
  airtime(exchange: Exchange): number
  /** Settles when the next request may begin. */
  ready?(): Promise<void>
  /** The request just sent is not waited for any longer. Says whether something came that was no answer. */
  giveUp(): boolean
  /** Whether a late answer could be taken for the next one of the same unit, which therefore has to wait. */
  readonly mixesAnswers: boolean
  close(): Promise<void>
}

/** Writes are answered with 8 bytes, in an RTU frame. */
const WRITTEN = 8
/** Bytes of an answer whose length nobody knows before. */
const USUAL = 100

/** The client library on a link. */
export class LibraryWire implements Wire {
  readonly #link: Link
  readonly #clock: MapperContext['clock']
  readonly #watchdog: Watchdog
  readonly #closed = new AbortController()
  /** Units that have to be left alone until these settle. */
  readonly #waits = new Map<number, Promise<void>>()
  #lost: Error | undefined
  #fail: ((error: Error) => void) | undefined

  constructor(link: Link, clock: MapperContext['clock']) {
    this.#link = link
    this.#clock = clock
    this.#watchdog = new Watchdog(clock, this.#closed.signal)
    // Whatever goes wrong is told by `lost`; an error event nobody hears would end the thread.
    link.client.on('error', () => undefined)
  }

  /** The link is gone; whoever waits and whoever comes is told. */
  lost(error: Error): void {
    this.#lost ??= error
    this.#fail?.(this.#lost)
  }

  /** Whoever waits is told; the link is fine. */
  fail(error: Error): void {
    this.#fail?.(error)
  }

  /** What came is no answer: not much use in waiting longer. */
  hurry(): void {
    this.#watchdog.shorten(0)
  }

  async read(target: Target, table: Table, start: number, length: number, signal: AbortSignal) {
    const { client } = this.#link
    const { unitId } = target
    const exchange = readExchange(length, isBitTable(table))
    switch (table) {
      case 'CoilRegister':
        return bits(
          await this.#call<Bits>(target, exchange, signal, (done) => client.writeFC1(unitId, start, length, done)),
          length,
        )
      case 'DiscreteInputRegister':
        return bits(
          await this.#call<Bits>(target, exchange, signal, (done) => client.writeFC2(unitId, start, length, done)),
          length,
        )
      case 'HoldingRegister':
        return words(
          await this.#call<Words>(target, exchange, signal, (done) => client.writeFC3(unitId, start, length, done)),
          length,
        )
      case 'InputRegister':
        return words(
          await this.#call<Words>(target, exchange, signal, (done) => client.writeFC4(unitId, start, length, done)),
          length,
        )
    }
  }

  async writeCoil(target: Target, address: number, on: boolean, signal: AbortSignal) {
    const { client } = this.#link
    await this.#call(target, written(8), signal, (done) => client.writeFC5(target.unitId, address, on, done))
  }

  async writeCoils(target: Target, start: number, values: readonly boolean[], signal: AbortSignal) {
    const { client } = this.#link
    const request = 9 + Math.ceil(values.length / 8)
    await this.#call(target, written(request), signal, (done) =>
      client.writeFC15(target.unitId, start, [...values], done),
    )
  }

  async writeRegister(target: Target, address: number, value: number, signal: AbortSignal) {
    const { client } = this.#link
    await this.#call(target, written(8), signal, (done) => client.writeFC6(target.unitId, address, value, done))
  }

  async writeRegisters(target: Target, start: number, words: readonly number[], signal: AbortSignal) {
    const { client } = this.#link
    await this.#call(target, written(9 + 2 * words.length), signal, (done) =>
      client.writeFC16(target.unitId, start, [...words], done),
    )
  }

  async maskWrite(target: Target, address: number, mask: number, bits: number, signal: AbortSignal) {
    const { client } = this.#link
    // Modbus application protocol V1.1b3, 6.16: ones of the first mask stay.
    await this.#call(target, { request: 10, answer: 10 }, signal, (done) =>
      client.writeFC22(target.unitId, address, 0xffff & ~mask, bits & mask, done),
    )
  }

  async readWrite(target: Target, start: number, words: readonly number[], signal: AbortSignal) {
    const { client } = this.#link
    const count = words.length
    await this.#call(target, { request: 13 + 2 * count, answer: 5 + 2 * count }, signal, (done) =>
      client.writeFC23(target.unitId, start, count, start, count, [...words], done),
    )
  }

  async ask(target: Target, pdu: Uint8Array, signal: AbortSignal) {
    const { port } = this.#link
    const request = frameOf(target.unitId, pdu)
    let take: ((frame: Uint8Array) => void) | undefined
    try {
      return await this.#call<Uint8Array>(target, { request: request.length, answer: USUAL }, signal, (done) => {
        take = (frame) => {
          const answer = frame.subarray(1, -2)
          const [code = 0, exception = 0] = answer
          done(code < 0x80 ? null : new ModbusException(exception, `Modbus exception ${exception}`), answer)
        }
        port.once('data', take)
        port.write(request)
      })
    } finally {
      if (take) port.off('data', take)
    }
  }

  async [Symbol.asyncDispose]() {
    const closed = new Error('the Modbus connection is closed')
    this.#closed.abort(closed)
    this.lost(closed)
    await this.#link.close()
  }

  /** The library forgets its callbacks when a socket dies, so the end of the link and the signal are watched here. */
  async #call<T>(target: Target, exchange: Exchange, signal: AbortSignal, start: (done: Done<T>) => void): Promise<T> {
    await this.#begin(target, signal)
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const onAbort = () => {
      this.#giveUp(target)
      reject(signal.reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    this.#fail = reject
    this.#watchdog.arm(target.timeout + this.#link.airtime(exchange), () => this.#expire(target, reject))
    try {
      start((error, answer) => (error ? reject(asException(error)) : resolve(answer)))
      return await promise
    } finally {
      this.#watchdog.disarm()
      this.#fail = undefined
      signal.removeEventListener('abort', onAbort)
      if (target.pause > 0) this.#leaveAlone(target.unitId, target.pause)
    }
  }

  async #begin({ unitId }: Target, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const wait = this.#waits.get(unitId)
    if (wait) {
      await abortable(wait, signal)
      this.#waits.delete(unitId)
    }
    const ready = this.#link.ready?.()
    if (ready) await abortable(ready, signal)
    signal.throwIfAborted()
    if (this.#lost) throw this.#lost
  }

  /** Says whether something came that was no answer. */
  #giveUp({ unitId, timeout }: Target): boolean {
    const garbled = this.#link.giveUp()
    // An answer that is late by as much again still finds nobody who could take it for his.
    if (this.#link.mixesAnswers && !garbled) this.#leaveAlone(unitId, timeout)
    return garbled
  }

  #expire(target: Target, reject: (error: Error) => void): void {
    const { unitId, timeout } = target
    const garbled = this.#giveUp(target)
    reject(
      new NoAnswer(
        garbled
          ? `only noise in place of an answer from unit ${unitId}`
          : `no answer within ${timeout} ms from unit ${unitId}`,
        garbled,
      ),
    )
  }

  #leaveAlone(unitId: number, milliseconds: number): void {
    const before = this.#waits.get(unitId)
    const wait = this.#clock.sleep(milliseconds, this.#closed.signal).catch(() => undefined)
    this.#waits.set(unitId, before ? Promise.all([before, wait]).then(() => undefined) : wait)
  }
}

interface Words {
  readonly data: readonly number[]
}
interface Bits {
  readonly data: readonly boolean[]
}

function written(request: number): Exchange {
  return { request, answer: WRITTEN }
}

function bits(answer: Bits, length: number): readonly number[] {
  return whole(answer.data, length).slice(0, length).map(Number)
}

function words(answer: Words, length: number): readonly number[] {
  return whole(answer.data, length)
}

/** The library takes the device's word for how much it sent. */
function whole<T>(data: readonly T[], length: number): readonly T[] {
  if (data.length < length) throw new Error(`the device answered with ${data.length} values in place of ${length}`)
  return data
}

async function abortable(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

function asException(error: Error): Error {
  const code = 'modbusCode' in error ? error.modbusCode : undefined
  return typeof code === 'number' ? new ModbusException(code, error.message) : error
}

/** A client of the library on a port of our own. */
export async function clientOn(port: object): Promise<Client> {
  const client = new modbusSerial.default(port)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  client.open((error?: Error | null) => (error ? reject(error) : resolve()))
  await promise
  return client
}
