import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import modbusSerial from 'modbus-serial'
import { ModbusException } from './exception.ts'
import type { Wire } from './wire.ts'

type Client = InstanceType<typeof modbusSerial.default>
type Done<T> = (error: Error | null, answer: T) => void

/** Connects over TCP; the caller disposes the wire. Rejects when the signal aborts first. */
export async function dial(host: string, port: number, signal: AbortSignal): Promise<Wire> {
  signal.throwIfAborted()
  const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 10_000 })
  // Whatever goes wrong later is told by `lost`; an error event nobody hears would end the thread.
  socket.on('error', () => undefined)
  try {
    await once(socket, 'connect', { signal })
    const client = new modbusSerial.default()
    await client.linkTCP(socket, { port })
    return new TcpWire(socket, client)
  } catch (error) {
    socket.destroy()
    throw signal.aborted ? signal.reason : error
  }
}

class TcpWire implements Wire {
  readonly #socket: Socket
  readonly #client: Client
  readonly #lost: Promise<never>

  constructor(socket: Socket, client: Client) {
    this.#socket = socket
    this.#client = client
    client.on('error', () => undefined)
    const { promise, reject } = Promise.withResolvers<never>()
    socket.once('error', (error) => reject(new Error('the Modbus connection failed', { cause: error })))
    socket.once('close', () => reject(new Error('the device closed the Modbus connection')))
    if (socket.destroyed) reject(new Error('the device closed the Modbus connection'))
    promise.catch(() => undefined)
    this.#lost = promise
  }

  async read(unitId: number, table: Parameters<Wire['read']>[1], start: number, length: number, signal: AbortSignal) {
    const client = this.#client
    switch (table) {
      case 'CoilRegister':
        return bits(await this.#call(signal, (done) => client.writeFC1(unitId, start, length, done)), length)
      case 'DiscreteInputRegister':
        return bits(await this.#call(signal, (done) => client.writeFC2(unitId, start, length, done)), length)
      case 'HoldingRegister':
        return (await this.#call<Words>(signal, (done) => client.writeFC3(unitId, start, length, done))).data
      case 'InputRegister':
        return (await this.#call<Words>(signal, (done) => client.writeFC4(unitId, start, length, done))).data
    }
  }

  async writeCoil(unitId: number, address: number, on: boolean, signal: AbortSignal) {
    await this.#call(signal, (done) => this.#client.writeFC5(unitId, address, on, done))
  }

  async writeRegisters(unitId: number, start: number, words: readonly number[], signal: AbortSignal) {
    const [only] = words
    if (words.length === 1 && only !== undefined) {
      await this.#call(signal, (done) => this.#client.writeFC6(unitId, start, only, done))
    } else {
      await this.#call(signal, (done) => this.#client.writeFC16(unitId, start, [...words], done))
    }
  }

  async [Symbol.asyncDispose]() {
    this.#socket.destroy()
    if (!this.#socket.closed) await once(this.#socket, 'close')
  }

  /** The library forgets its callbacks when a socket dies, so the end of the socket and the signal are watched here. */
  async #call<T>(signal: AbortSignal, start: (done: Done<T>) => void): Promise<T> {
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    const done: Done<T> = (error, answer) => (error ? reject(asException(error)) : resolve(answer))
    try {
      start(done)
      return await Promise.race([promise, this.#lost])
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }
}

interface Words {
  readonly data: readonly number[]
}
interface Bits {
  readonly data: readonly boolean[]
}

function bits(answer: Bits, length: number): readonly number[] {
  return answer.data.slice(0, length).map(Number)
}

function asException(error: Error): Error {
  const code = 'modbusCode' in error ? error.modbusCode : undefined
  return typeof code === 'number' ? new ModbusException(code, error.message) : error
}
