import type { Logger } from '../../../log/logger.ts'
import { type Clock, type Duration, minutes } from '../../../time/index.ts'
import type { ServingIdentity } from './identity-files.ts'
import { type IdentitySource, readServingIdentity } from './serving-identity.ts'

export interface LiveIdentityOptions {
  readonly source: IdentitySource
  /** Where a self-made certificate is kept. */
  readonly folder: string
  readonly clock: Clock
  readonly log: Logger
  readonly reread?: Duration
}

/** The serving certificate as its files have it now: who renews them need not restart anything. */
export class LiveIdentity {
  readonly #options: LiveIdentityOptions
  readonly #users: ((identity: ServingIdentity) => void)[] = []
  #current: ServingIdentity

  private constructor(options: LiveIdentityOptions, first: ServingIdentity) {
    this.#options = options
    this.#current = first
  }

  static async open(options: LiveIdentityOptions): Promise<LiveIdentity> {
    return new LiveIdentity(options, await readServingIdentity(options.source, options.folder, options.clock))
  }

  get current(): ServingIdentity {
    return this.#current
  }

  /** Connections from now on are served with what is handed over. */
  onRenewed(use: (identity: ServingIdentity) => void): void {
    this.#users.push(use)
  }

  /** Runs until the signal aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    const { source, folder, clock, log, reread = minutes(1) } = this.#options
    for (;;) {
      await clock.sleep(reread, signal)
      try {
        const next = await readServingIdentity(source, folder, clock)
        const { cert, key, ca } = this.#current
        if (next.cert === cert && next.key === key && next.ca === ca) continue
        this.#current = next
        for (const use of this.#users) use(next)
        log.info('MQTT clients are served with a new certificate')
      } catch (error) {
        // Between the writing of certificate and key the two do not fit; the old ones serve on.
        log.warn('The certificate for MQTT clients cannot be read anew', { error })
      }
    }
  }
}
