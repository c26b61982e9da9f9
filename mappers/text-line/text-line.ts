import type { Duplex } from 'node:stream'
import { ConnectionLostError, DeviceSilentError, type MapperContext } from '../contract/index.ts'

export interface TextLineSettings {
  /** For messages. */
  readonly address: string
  readonly end: string
  /** ms. */
  readonly timeout: number
  readonly clock: MapperContext['clock']
}

/** Longest answer, in UTF-16 units; a device that sends more without an end is not heard out. */
const LONGEST = 65_536

interface Asker {
  take(answer: string): void
  fail(error: unknown): void
}

/** A device that answers lines of text, one question at a time. Bytes are Latin-1, so that each is one character. */
export class TextLine implements AsyncDisposable {
  readonly #stream: Duplex
  readonly #settings: TextLineSettings
  #received = ''
  #asker: Asker | undefined
  #lost: Error | undefined

  constructor(stream: Duplex, settings: TextLineSettings) {
    this.#stream = stream
    this.#settings = settings
    stream.on('data', (bytes: Buffer) => this.#take(bytes.toString('latin1')))
    stream.on('error', (error) => this.#lose(error))
    stream.once('end', () => stream.destroy())
    stream.once('close', () => this.#lose(new Error('the other end has closed the line')))
  }

  /**
   * Sends a question and resolves to the next line that comes. What came before the question is thrown away, also an answer that
   * was too late for the question before. Rejects with a DeviceSilentError when there is no answer in time, with the reason of the
   * signal when it aborts, and with a ConnectionLostError when the line is lost.
   */
  async ask(question: string, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted()
    if (this.#lost) throw this.#lost
    if (this.#asker) throw new Error('a question is still open: ask one after the other')
    const { clock, timeout, end } = this.#settings
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const over = new AbortController()
    const onAbort = () => reject(signal.reason)
    this.#received = ''
    this.#asker = { take: resolve, fail: reject }
    signal.addEventListener('abort', onAbort, { once: true })
    clock.sleep(timeout, over.signal).then(
      () => reject(new DeviceSilentError(this.#silence(question))),
      () => undefined,
    )
    try {
      this.#stream.write(Buffer.from(question + end, 'latin1'))
      return await promise
    } finally {
      this.#asker = undefined
      over.abort()
      signal.removeEventListener('abort', onAbort)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stream.closed) return
    const closed = new Promise<void>((resolve) => {
      this.#stream.once('close', () => resolve())
    })
    this.#stream.destroy()
    await closed
  }

  #take(text: string): void {
    if (!this.#asker) return
    this.#received += text
    const { end, address } = this.#settings
    const at = this.#received.indexOf(end)
    if (at >= 0) this.#asker.take(this.#received.slice(0, at).replace(/\r$/, ''))
    else if (this.#received.length > LONGEST) {
      this.#asker.fail(new Error(`${address}: the answer has more than ${LONGEST} characters and no end`))
      this.#received = ''
    }
  }

  #lose(error: Error): void {
    this.#lost ??= new ConnectionLostError(`${this.#settings.address}: ${error.message}`, { cause: error })
    this.#asker?.fail(this.#lost)
  }

  #silence(question: string): string {
    const { address, timeout } = this.#settings
    const heard = this.#received === '' ? 'nothing came' : `there came ${this.#received.length} bytes without an end`
    return `${address} did not answer ${JSON.stringify(question)} within ${timeout} ms: ${heard}`
  }
}
