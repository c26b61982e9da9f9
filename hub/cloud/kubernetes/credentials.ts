import type { RequestOptions } from 'node:https'
import { describeError, UnavailableError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, minutes, seconds, withDeadline } from '../../../platform/time/index.ts'
import { AgentPool, type Agents, withoutTls } from './agents.ts'
import { askPlugin, type CredentialPlugin, type PluginCredential } from './exec-credential.ts'
import { type KubeconfigSource, type ReadKubeconfig, readKubeconfig } from './kubeconfig.ts'

/** Where the API is and who asks it: good for many requests. */
export interface Access {
  readonly server: URL
  readonly calls: RequestOptions
  readonly watches: RequestOptions
  /** As `calls` and `watches`, for callers who bring their own token: no credential of ours is in them. */
  readonly others: { readonly calls: RequestOptions; readonly watches: RequestOptions }
  /** Absent where requests go through a proxy, or without TLS. */
  readonly agents?: Agents
}

/** Tokens and certificates rotate, and so does a kubeconfig: all are read again this often. */
const FRESH = minutes(1)
/** And not more often than this, however often the API refuses them or they cannot be read. */
const REST = seconds(5)
const PLUGIN_WITHIN = seconds(30)
/** A credential that ends so soon is not used any more. */
const RESERVE_MS = 10_000

/**
 * The credentials of a kubeconfig, read again while they are used: each minute, and as soon as the API refuses them. What cannot be
 * read just now leaves the last ones in use, unless these were refused.
 */
export class Credentials implements Disposable {
  readonly #source: KubeconfigSource
  readonly #ports: { readonly clock: Clock; readonly log: Logger }
  readonly #pool: AgentPool
  readonly #othersPool: AgentPool
  #access: Access | undefined
  #isRefused = false
  #plugged: PluginCredential | undefined
  /** Monotonic ms. */
  #readAt = Number.NEGATIVE_INFINITY
  /** When they were last read because of trouble. */
  #forcedAt = Number.NEGATIVE_INFINITY
  #reading: Promise<Access> | undefined
  #failure: UnavailableError | undefined

  private constructor(source: KubeconfigSource, ports: { readonly clock: Clock; readonly log: Logger }) {
    this.#source = source
    this.#ports = ports
    this.#pool = new AgentPool(ports.clock)
    this.#othersPool = new AgentPool(ports.clock)
  }

  /** Throws ConfigError where the kubeconfig cannot be used: its author is there to read that. */
  static async open(source: KubeconfigSource, ports: { readonly clock: Clock; readonly log: Logger }) {
    await readKubeconfig(source)
    return new Credentials(source, ports)
  }

  /** Throws UnavailableError where there are none just now. */
  async current(): Promise<Access> {
    const now = this.#ports.clock.monotonic()
    if (this.#access && !this.#isRefused && now - this.#readAt < FRESH.milliseconds) return this.#access
    if (!this.#reading && now - this.#forcedAt < REST.milliseconds) {
      if (this.#access) return this.#access
      if (this.#failure) throw this.#failure
    }
    if (this.#isRefused) this.#forcedAt = now
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  /** The API knows these not, or no more, or cannot be told from another by them. */
  refused(access: Access): void {
    if (access !== this.#access) return
    this.#isRefused = true
    this.#plugged = undefined
  }

  [Symbol.dispose](): void {
    this.#pool[Symbol.dispose]()
    this.#othersPool[Symbol.dispose]()
  }

  async #read(): Promise<Access> {
    const { clock, log } = this.#ports
    try {
      const read = await readKubeconfig(this.#source)
      const plugged = read.plugin && (await this.#ask(read.plugin))
      this.#access = this.#accessOf(read, plugged)
      this.#failure = undefined
      this.#isRefused = false
      return this.#access
    } catch (error) {
      if (!this.#failure) log.warn('The credentials for Kubernetes cannot be read again', { error })
      this.#failure = unavailable(error)
      this.#forcedAt = clock.monotonic()
      if (this.#access && !this.#isRefused) return this.#access
      throw this.#failure
    } finally {
      this.#readAt = clock.monotonic()
    }
  }

  async #ask(plugin: CredentialPlugin): Promise<PluginCredential> {
    const { clock } = this.#ports
    const known = this.#plugged
    if (known && (known.expires ?? Number.POSITIVE_INFINITY) - clock.now() > RESERVE_MS) return known
    this.#plugged = await withDeadline(clock, PLUGIN_WITHIN, undefined, (signal) => askPlugin(plugin, signal))
    return this.#plugged
  }

  #accessOf({ server, options, anonymous, hasProxy }: ReadKubeconfig, plugged: PluginCredential | undefined): Access {
    const { cert, key, token } = plugged ?? {}
    const whole: RequestOptions = {
      ...options,
      ...(cert === undefined || key === undefined ? {} : { cert, key }),
      ...(token === undefined ? {} : { headers: { ...options.headers, Authorization: `Bearer ${token}` } }),
    }
    if (hasProxy || server.protocol !== 'https:') {
      return { server, calls: whole, watches: whole, others: { calls: anonymous, watches: anonymous } }
    }
    const agents = this.#pool.of(server, whole)
    const others = over(anonymous, this.#othersPool.of(server, anonymous))
    return { server, ...over(whole, agents), others, agents }
  }
}

/** The same over the connections of these agents. */
function over(options: RequestOptions, agents: Agents) {
  const plain = withoutTls(options)
  return { calls: { ...plain, agent: agents.calls }, watches: { ...plain, agent: agents.watches } }
}

function unavailable(error: unknown): UnavailableError {
  if (error instanceof UnavailableError) return error
  return new UnavailableError('There are no credentials for Kubernetes', {
    code: 'HUB_KUBERNETES_CREDENTIALS',
    fields: { reason: 'Credentials', detail: describeError(error) },
  })
}
