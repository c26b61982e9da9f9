import { once } from 'node:events'
import { connect as dial, type Socket } from 'node:net'
import {
  configSchema,
  DeviceSilentError,
  defineMapper,
  type MapperContext,
  type Order,
  type Outcome,
  type PropertyValue,
  type Reading,
  type Report,
  type Static,
  Type,
  type Visit,
  type VisitId,
} from '../../contract/index.ts'

/** A mapper of a protocol that is small but has everything: batches, peers, pushes. What `mutants.ts` breaks. */
const Device = Type.Object({
  host: Type.String({ minLength: 1, description: 'Name or IP address of the gateway.' }),
  port: Type.Integer({ default: 4711, minimum: 1, maximum: 65535, description: 'TCP port of the gateway.' }),
  unit: Type.Integer({ default: 1, minimum: 1, maximum: 99, description: 'Number of the device behind the gateway.' }),
  timeout: Type.Integer({ default: 1000, minimum: 10, description: 'Milliseconds within which it answers.' }),
})
const Visitor = Type.Object({
  name: Type.String({ minLength: 1, description: 'Name of the value at the device.' }),
})
type Device = Static<typeof Device>
type Visitor = Static<typeof Visitor>
type Answer = { readonly values: Record<string, PropertyValue>; readonly errors: Record<string, string> }

/** The gateway takes no more names in one request. */
const MOST_NAMES = 100

class Connection implements AsyncDisposable {
  readonly #socket: Socket
  readonly #clock: MapperContext['clock']
  readonly #waiting = new Map<number, { resolve(answer: Answer): void; reject(error: Error): void }>()
  readonly #watches = new Map<number, (values: Answer['values']) => void>()
  #lost: Error | undefined
  #onLost = new Set<(error: Error) => void>()
  #last = 0
  #rest = ''

  constructor(socket: Socket, clock: MapperContext['clock']) {
    this.#socket = socket
    this.#clock = clock
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => this.#take(text))
    socket.on('error', (error) => this.#lose(error))
    socket.on('close', () => this.#lose(new Error('the gateway closed the link')))
  }

  get isOpen(): boolean {
    return this.#lost === undefined
  }

  async ask(device: Device, request: object, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted()
    if (this.#lost) throw this.#lost
    const seq = ++this.#last
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    this.#waiting.set(seq, { resolve, reject })
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    const done = new AbortController()
    this.#clock.sleep(device.timeout, done.signal).then(
      () => reject(new DeviceSilentError('the device does not answer')),
      () => undefined,
    )
    this.#socket.write(`${JSON.stringify({ seq, unit: device.unit, ...request })}\n`)
    try {
      return await promise
    } finally {
      this.#waiting.delete(seq)
      signal.removeEventListener('abort', onAbort)
      done.abort()
    }
  }

  /** Settles when the signal aborts; rejects when the link is lost. */
  async watch(
    device: Device,
    names: string[],
    take: (values: Answer['values']) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const seq = this.#last + 1
    this.#watches.set(seq, take)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const onAbort = () => resolve()
    signal.addEventListener('abort', onAbort, { once: true })
    this.#onLost.add(reject)
    // The link may be lost while the request is still under way.
    promise.catch(() => undefined)
    try {
      await this.ask(device, { watch: names }, signal)
      await promise
    } finally {
      this.#watches.delete(seq)
      this.#onLost.delete(reject)
      signal.removeEventListener('abort', onAbort)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lose(new Error('the connection was disposed'))
    if (this.#socket.closed) return
    this.#socket.destroy()
    await once(this.#socket, 'close')
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      const message = parse(line)
      if (!message) {
        this.#lose(new Error('the gateway sent no JSON'))
        this.#socket.destroy()
        return
      }
      if ('push' in message) this.#watches.get(message.push)?.(message.values)
      else if ('refused' in message) this.#waiting.get(message.seq)?.reject(new Error(message.refused))
      else this.#waiting.get(message.seq)?.resolve(message)
    }
  }

  #lose(error: Error): void {
    this.#lost ??= error
    for (const { reject } of this.#waiting.values()) reject(this.#lost)
    for (const reject of this.#onLost) reject(this.#lost)
  }
}

function parse(
  line: string,
):
  | ({ seq: number } & Answer)
  | { push: number; values: Answer['values'] }
  | { seq: number; refused: string }
  | undefined {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

async function open(device: Device, { signal, clock }: MapperContext): Promise<Connection> {
  signal.throwIfAborted()
  const socket = dial({ host: device.host, port: device.port, noDelay: true })
  const connection = new Connection(socket, clock)
  const onAbort = () => socket.destroy(new Error('connecting was given up'))
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await once(socket, 'connect')
    signal.throwIfAborted()
    return connection
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** By device, then in parts that the gateway takes. */
function batchesOf<V extends Visit<Device, Visitor>>(visits: readonly V[]): readonly (readonly V[])[] {
  const batches: V[][] = []
  for (const visit of visits) {
    const batch = batches.at(-1)
    if (batch && batch.length < MOST_NAMES && batch[0]?.device.unit === visit.device.unit) batch.push(visit)
    else batches.push([visit])
  }
  return batches
}

async function read(connection: Connection, visits: readonly Visit<Device, Visitor>[], signal: AbortSignal) {
  signal.throwIfAborted()
  const results = new Map<VisitId, Outcome<Reading>>()
  for (const batch of batchesOf(visits)) {
    const device = batch[0]?.device ?? raise('an empty batch')
    const names = batch.map(({ visitor }) => visitor.name)
    const answer = await connection.ask(device, { get: names }, signal)
    for (const visit of batch) results.set(visit.id, outcomeOf(answer, visit.visitor.name))
  }
  return results
}

function outcomeOf({ values, errors }: Answer, name: string): Outcome<Reading> {
  const value = values[name]
  if (value !== undefined) return { ok: true, value: { value } }
  return { ok: false, error: new Error(errors[name] ?? 'the device said nothing of it') }
}

async function write(connection: Connection, orders: readonly Order<Device, Visitor>[], signal: AbortSignal) {
  signal.throwIfAborted()
  const results = new Map<VisitId, Outcome<void>>()
  for (const { id, device, visitor, value } of orders) {
    const { errors } = await connection.ask(device, { set: { [visitor.name]: value } }, signal)
    const refused = errors[visitor.name]
    results.set(id, refused === undefined ? { ok: true, value: undefined } : { ok: false, error: new Error(refused) })
  }
  return results
}

async function watch(
  connection: Connection,
  visits: readonly Visit<Device, Visitor>[],
  report: Report,
  signal: AbortSignal,
) {
  signal.throwIfAborted()
  const device = visits[0]?.device ?? raise('nothing to watch')
  const take = (values: Answer['values']) => {
    for (const { id, visitor } of visits) {
      const value = values[visitor.name]
      if (value !== undefined) report(id, { ok: true, value: { value } })
    }
  }
  await connection.watch(
    device,
    visits.map(({ visitor }) => visitor.name),
    take,
    signal,
  )
}

function raise(reason: string): never {
  throw new Error(reason)
}

export default defineMapper({
  contract: 1,
  protocol: 'lines',
  deviceConfig: configSchema(Device),
  visitorConfig: configSchema(Visitor),
  connectionKey: ({ host, port }) => `${host}:${port}`,
  peer: ({ unit }) => String(unit),
  deadline: ({ timeout }, visits) => timeout * Math.max(1, Math.ceil(visits.length / MOST_NAMES)) + 500,
  reject: ({ type }, { name }) => (name === 'serial' && type !== 'STRING' ? 'serial is a STRING' : undefined),
  connect: open,
  read,
  write,
  watch,
})
