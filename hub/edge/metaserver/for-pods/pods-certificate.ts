import { parseCertificate } from '../../../../platform/certificates/index.ts'
import { describeError, type Scope } from '../../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../../platform/log/index.ts'
import { Backoff, type Clock, type Duration, minutes, ms, seconds } from '../../../../platform/time/index.ts'
import { links } from '../../../../schemas/index.ts'
import { type Identity, readPair } from '../../../serving/access/stored-identity.ts'
import type { Applications } from '../../applications/applications.ts'
import { type CertificatePorts, isFit, PAIR } from './certificate-files.ts'

export interface PodsCertificateOptions extends CertificatePorts {
  readonly applications: Pick<Applications, 'isConnected'>
  readonly clock: Clock
  readonly log: Logger
  /** Another one counts from now on. */
  readonly onRenewed: (identity: Identity) => void
}

/** Of its lifetime; the last part is for a cloud that is away. */
const RENEW_AFTER = 0.7
/** Looks again at least this often: the wall clock may jump. */
const LONGEST_REST = minutes(5)
/** A pod that starts waits so long for it. */
const PATIENCE = seconds(10)
/** Not sooner is a certificate given up whose authority pods do not know. */
const NEVER_AGAIN_BEFORE = minutes(60)

/**
 * What MetaServer shows to pods: a serving certificate of the cluster, whose authority pods have in `kube-root-ca.crt`. It is asked for
 * when the first pod wants it, kept on disk and renewed from then on.
 */
export class PodsCertificate {
  readonly #options: PodsCertificateOptions
  readonly #scope: Scope
  #current: Identity | undefined
  #isUnknown = false
  #givenUpAt = Number.NEGATIVE_INFINITY
  #isKept = false
  #arrival = Promise.withResolvers<void>()
  #wake = () => {}
  #reason = 'it has just been asked for'

  constructor(options: PodsCertificateOptions, scope: Scope) {
    this.#options = options
    this.#scope = scope
  }

  /** What is on disk from before. */
  async open(): Promise<Identity | undefined> {
    const { folder, names } = this.#options
    const stored = await readPair(folder, PAIR)
    if (!stored || !isFit(stored, names)) return undefined
    this.#current = stored
    this.#keep()
    return stored
  }

  /** One that counts now and that `isKnown` takes; a moment is waited for it where the cloud is there. */
  async get(isKnown: (identity: Identity) => boolean): Promise<Identity | { readonly refusal: string }> {
    const present = this.#standing()
    if (present && isKnown(present)) return present
    const { clock, applications } = this.#options
    if (present && !this.#giveUp()) return { refusal: UNKNOWN }
    this.#keep()
    if (!applications.isConnected) return refusal(present ? 'its authority is another' : 'the cloud is not connected')
    const arrival = this.#arrival.promise
    this.#wake()
    const patience = Promise.withResolvers<void>()
    using _timer = clock.after(PATIENCE, patience.resolve)
    await Promise.race([arrival, patience.promise])
    const made = this.#standing()
    if (!made || this.#isUnknown) return refusal(this.#reason)
    return isKnown(made) ? made : { refusal: UNKNOWN }
  }

  #standing(): Identity | undefined {
    const isOver = this.#current && endOf(this.#current) <= this.#options.clock.now()
    return isOver ? undefined : this.#current
  }

  /** The cluster may have another authority than when it was signed. */
  #giveUp(): boolean {
    const now = this.#options.clock.monotonic()
    if (now - this.#givenUpAt < NEVER_AGAIN_BEFORE.milliseconds) return this.#isUnknown
    this.#givenUpAt = now
    this.#isUnknown = true
    return true
  }

  #keep(): void {
    if (this.#isKept) return
    this.#isKept = true
    const watching = this.#options.bus.watch(links, ({ value }) => (value?.connected ? this.#wake() : undefined))
    this.#scope.defer(() => watching[Symbol.dispose]())
    this.#scope.run((signal) => this.#keepFresh(signal))
  }

  async #keepFresh(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options
    const backoff = new Backoff({ first: ms(500), most: LONGEST_REST }, random)
    while (!signal.aborted) {
      const due = this.#isUnknown || !this.#current ? Number.NEGATIVE_INFINITY : renewalOf(this.#current)
      const wait = due - clock.now()
      if (wait > 0) await this.#rest(ms(Math.min(wait, LONGEST_REST.milliseconds)), signal)
      else if (await this.#ask(signal)) backoff.reset()
      else if (await this.#rest(backoff.next(), signal)) backoff.reset()
    }
  }

  async #ask(signal: AbortSignal): Promise<boolean> {
    const { log, onRenewed, applications } = this.#options
    if (!applications.isConnected) return false
    try {
      // Loaded when it is due: what makes a request is large, and needed once in months.
      const { askCertificate } = await import('./ask-certificate.ts')
      const asked = await askCertificate(this.#options, signal)
      if ('waiting' in asked) {
        this.#tell(asked.waiting)
        return false
      }
      this.#current = asked.identity
      this.#isUnknown = false
      onRenewed(asked.identity)
      log.info('MetaServer has a certificate for pods', { until: new Date(endOf(asked.identity)).toISOString() })
      this.#arrival.resolve()
      this.#arrival = Promise.withResolvers()
      return true
    } catch (error) {
      signal.throwIfAborted()
      this.#tell(describeError(error))
      return false
    }
  }

  /** Each reason once, however often it is met. */
  #tell(reason: string): void {
    if (reason !== this.#reason) this.#options.log.info('MetaServer has no new certificate for pods yet', { reason })
    this.#reason = reason
  }

  /** Whether it was woken. */
  async #rest(duration: Duration, signal: AbortSignal): Promise<boolean> {
    const rested = Promise.withResolvers<boolean>()
    const onAbort = () => rested.resolve(false)
    this.#wake = () => rested.resolve(true)
    using _timer = this.#options.clock.after(duration, onAbort)
    signal.addEventListener('abort', onAbort, { once: true })
    const isWoken = await rested.promise
    signal.removeEventListener('abort', onAbort)
    return isWoken
  }
}

const UNKNOWN = 'pods would not know the authority of its certificate: it is not in their kube-root-ca.crt'

function refusal(reason: string): { readonly refusal: string } {
  return { refusal: `MetaServer has no certificate for pods: ${reason}` }
}

function endOf({ certificate }: Identity): number {
  return parseCertificate(certificate).notAfter.getTime()
}

function renewalOf({ certificate }: Identity): number {
  const { notBefore, notAfter } = parseCertificate(certificate)
  return notBefore.getTime() + (notAfter.getTime() - notBefore.getTime()) * RENEW_AFTER
}
