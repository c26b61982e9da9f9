import type { ClientSecureChannelLayer, ClientSession, OPCUAClient } from 'node-opcua-client'
import type { MapperContext } from '../../contract/index.ts'

/** How long a server may take to hear a farewell, ms. */
const FAREWELL_MS = 500
/** Answers after which a session is of no use any more. The library would make a new one in secret; here it is lost. */
const FATAL = new Set([
  'BadSessionIdInvalid',
  'BadSessionClosed',
  'BadSessionNotActivated',
  'BadSecureChannelIdInvalid',
  'BadSecureChannelClosed',
])

/** Watches one client: everything that waits for the server ends when the link does, the session dies, or the signal aborts. */
export class Lifeline {
  readonly #client: OPCUAClient
  readonly #clock: MapperContext['clock']
  readonly #lost = new AbortController()
  #channel: ClientSecureChannelLayer | undefined
  #closing: Promise<void> | undefined

  constructor(client: OPCUAClient, clock: MapperContext['clock']) {
    this.#client = client
    this.#clock = clock
    client.on('secure_channel_created', (channel) => {
      this.#channel = channel
    })
    client.on('close', (error) => {
      const cause = error?.message ?? ''
      // So the library says that the other end is gone.
      this.lose(/^$|third party|^Connection Break$/.test(cause) ? 'the server closed the connection' : cause)
    })
    client.on('receive_response', ({ responseHeader: { serviceResult } }) => {
      if (FATAL.has(serviceResult.name)) this.lose(`the server has ended the session: ${serviceResult.name}`)
    })
  }

  /** Aborts when the link or the session is lost; its reason says why. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  follow(session: ClientSession): void {
    session.on('session_closed', (status) => this.lose(`the session has ended: ${status.name}`))
  }

  lose(reason: string): void {
    if (!this.#lost.signal.aborted) this.#lost.abort(new Error(reason))
  }

  /** Settles with the work; rejects as soon as the link is lost or the signal aborts. */
  async run<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
    work.catch(() => undefined)
    const { promise, reject } = Promise.withResolvers<never>()
    const both = [signal, this.#lost.signal]
    const onAbort = () => reject(both.find(({ aborted }) => aborted)?.reason)
    for (const one of both) one.addEventListener('abort', onAbort, { once: true })
    try {
      if (both.some(({ aborted }) => aborted)) onAbort()
      return await Promise.race([work, promise])
    } finally {
      for (const one of both) one.removeEventListener('abort', onAbort)
    }
  }

  /** Says farewell, or cuts the line where nobody listens. Never rejects. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const wasLost = this.#lost.signal.aborted
    const done = new AbortController()
    const farewell = this.#client.disconnect().catch(() => undefined)
    if (!wasLost) {
      const patience = this.#clock.sleep(FAREWELL_MS, done.signal).catch(() => undefined)
      await Promise.race([farewell, patience])
      done.abort()
    }
    this.lose('the connection was closed')
    this.#channel?.forceConnectionBreak()
  }
}
