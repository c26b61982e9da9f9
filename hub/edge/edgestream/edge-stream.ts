import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { describeError, type Module } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import {
  Backoff,
  type Clock,
  type Duration,
  ms,
  type Random,
  seconds,
  unlessAborted,
} from '../../../platform/time/index.ts'
import type { LinkDialer, LinkIdentity } from '../../link/index.ts'
import { type DialledTunnel, dialTunnel, type TunnelTargets } from '../../tunnel/index.ts'
import { Targets } from './targets.ts'
import { type Announced, tunnelAddress } from './tunnel-address.ts'

export interface EdgeStreamOptions {
  /** HOST:PORT of CloudHub. */
  readonly server: string
  /** HOST:PORT of the tunnel server, or `off`; absent: beside CloudHub, on the port that it announces. */
  readonly tunnel?: string
  readonly nodeName: string
  /** Of this machine in its own network. */
  readonly address: () => string
  /** Read again for each connection. */
  readonly identity: () => Promise<LinkIdentity>
  /** Told why a connection was not made. */
  readonly onFailed?: (error: unknown) => void
  /** Between two attempts; default 30 s. */
  readonly longestPause?: Duration
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
}

/** The tunnel as it is now, for people. */
export interface TunnelStatus {
  /** HOST:PORT; absent: not known yet, or there is none. */
  readonly server?: string
  readonly connected: boolean
  /** While it is not connected: why. */
  readonly detail: string
  readonly streams: number
}

export interface EdgeStream extends Module {
  /** What the cloud may reach here. */
  readonly targets: TunnelTargets
  /** The same dialer, from whose links this learns where the tunnel server is. */
  hearing(dialer: LinkDialer): LinkDialer
  /** The certificate was renewed: the next connection uses it, made once no stream is open. The cloud ends this one with the old certificate. */
  renew(): void
  status(): TunnelStatus
}

const FIRST_PAUSE = ms(500)
const LONGEST_PAUSE = seconds(30)
/** A tunnel that lasted this long was a good one: the next pause is a short one. */
const GOOD_TUNNEL = seconds(5)
const NOT_KNOWN = 'the cloud has not said yet where its tunnel server is'
const OFF = 'the tunnel is off'

/** EdgeStream: keeps a tunnel to the cloud, as long as this runs. Its start never waits for it. */
export function createEdgeStream(options: EdgeStreamOptions): EdgeStream {
  const { metrics = silentMetrics } = options
  const tunnel = new KeptTunnel(options)
  metrics
    .gauge({ name: 'skerry_edgestream_connected', help: '1 while the tunnel to the cloud is open.' })
    .follow(() => (tunnel.status().connected ? 1 : 0))
  metrics
    .gauge({ name: 'skerry_edgestream_streams', help: 'Streams of the cloud that are open.' })
    .follow(() => tunnel.status().streams)
  return {
    name: 'EdgeStream',
    targets: tunnel.targets,
    hearing: (dialer) => ({
      async dial(headers, signal) {
        const link = await dialer.dial(headers, signal)
        tunnel.announced({ isSkerry: link.isSkerry, tunnel: link.tunnel ?? '' })
        return link
      },
    }),
    renew: () => tunnel.renew(),
    status: () => tunnel.status(),
    async start(scope) {
      if (options.tunnel !== 'off') scope.run((signal) => tunnel.keep(signal))
    },
  }
}

class KeptTunnel {
  readonly targets = new Targets()
  readonly #options: EdgeStreamOptions
  readonly #bytes
  readonly #attempts
  #announced: Announced | undefined
  #now: DialledTunnel | undefined
  #streams = 0
  #isRenewed = false
  #detail: string
  /** Ends the pause of the moment. */
  #wake: () => void = () => undefined

  constructor(options: EdgeStreamOptions) {
    const { metrics = silentMetrics, tunnel } = options
    this.#options = options
    this.#detail = tunnel === 'off' ? OFF : NOT_KNOWN
    this.#attempts = metrics.counter({
      name: 'skerry_edgestream_connects_total',
      help: 'Connections to the tunnel server, by outcome.',
      labels: ['outcome'],
    })
    this.#bytes = metrics.counter({
      name: 'skerry_edgestream_bytes_total',
      help: 'Bytes of messages through the tunnel, by direction: up to the cloud, down from it.',
      labels: ['direction'],
    })
  }

  /** The cloud is there, with a tunnel server or without. */
  announced(announced: Announced): void {
    this.#announced = announced
    this.#wake()
  }

  renew(): void {
    this.#isRenewed = this.#now !== undefined
    this.#renewIfIdle()
  }

  status(): TunnelStatus {
    const server = tunnelAddress(this.#options, this.#announced)
    return {
      ...(server === undefined ? {} : { server }),
      connected: this.#now !== undefined,
      detail: this.#detail,
      streams: this.#streams,
    }
  }

  async keep(signal: AbortSignal): Promise<void> {
    const { clock, random, longestPause = LONGEST_PAUSE } = this.#options
    const backoff = new Backoff({ first: FIRST_PAUSE, most: longestPause }, random)
    while (!signal.aborted) {
      const server = tunnelAddress(this.#options, this.#announced)
      if (server === undefined) {
        if (this.#announced) this.#detail = 'the cloud has no tunnel server'
        await this.#pause(undefined, signal)
        continue
      }
      const start = clock.monotonic()
      await this.#once(server, signal)
      if (clock.monotonic() - start > GOOD_TUNNEL.milliseconds) backoff.reset()
      await this.#pause(backoff.next(), signal)
    }
  }

  /** Dials, and serves the tunnel until it ends. */
  async #once(server: string, signal: AbortSignal): Promise<void> {
    const { log, onFailed = () => undefined } = this.#options
    try {
      const tunnel = await dialTunnel(
        {
          ...this.#options,
          server,
          address: this.#options.address(),
          bytes: this.#bytes,
          handler: (target) => this.targets.handler(target),
          onStreams: (count) => {
            this.#streams = count
            this.#renewIfIdle()
          },
        },
        signal,
      )
      const stop = () => tunnel.close('the edge is stopping')
      if (signal.aborted) stop()
      signal.addEventListener('abort', stop, { once: true })
      this.#now = tunnel
      this.#isRenewed = false
      this.#attempts.add(1, { outcome: 'connected' })
      this.#say('connected')
      log.info('The tunnel to the cloud is open', { server, skerry: tunnel.isSkerry })
      const reason = await tunnel.closed
      signal.removeEventListener('abort', stop)
      this.#now = undefined
      if (this.#say(reason)) log.info('The tunnel to the cloud ended', { reason })
    } catch (error) {
      if (signal.aborted) return
      this.#attempts.add(1, { outcome: 'failed' })
      const detail = describeError(error)
      if (this.#say(detail))
        log.warn('The tunnel to the cloud cannot be opened; trying again', { server, error: detail })
      onFailed(error)
    }
  }

  #renewIfIdle(): void {
    if (this.#isRenewed && this.#streams === 0) this.#now?.close('the certificate was renewed')
  }

  /** True where that is news. */
  #say(detail: string): boolean {
    const isNews = this.#detail !== detail
    this.#detail = detail
    return isNews
  }

  /** Until the time is over, or the cloud has said something. */
  async #pause(duration: Duration | undefined, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    using _timer = duration && this.#options.clock.after(duration, resolve)
    await unlessAborted(promise, signal).catch(() => undefined)
  }
}
