import { parseCertificate } from '../../../platform/certificates/index.ts'
import { describeError, type Module, RefusedError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { Backoff, type Clock, minutes, ms, type Random, seconds } from '../../../platform/time/index.ts'
import type { LinkIdentity } from '../../link/index.ts'
import { type IdentityFiles, readIdentity } from './identity-files.ts'
import { finishCommit } from './identity-journal.ts'

export interface RotationOptions {
  /** HOST:PORT of the certificate endpoint. */
  readonly address: string
  readonly nodeName: string
  readonly files: IdentityFiles
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** The new certificate is on disk: connections should be made anew. */
  readonly onRotated: () => void
}

export interface Rotation extends Module {
  /**
   * The identity to dial with. One that has ended is renewed first; rejects with RefusedError where the cloud says no to that.
   * Where it cannot be asked, the old one is given: whether it counts is for the other end to say.
   */
  identity(): Promise<LinkIdentity>
  /** The other end says that the certificate has ended, whatever the clock here says: the next `identity` renews it. */
  distrust(): void
}

/** Renews the certificate between 70 and 90 % of its lifetime, at a moment drawn by chance so that a fleet does not ask at once. */
export function createRotationModule(options: RotationOptions): Rotation {
  const { clock, files, nodeName, log } = options
  const renewing: RenewalState = { isDistrusted: false, now: undefined, restUntil: Number.NEGATIVE_INFINITY }
  const identity = async () => {
    const present = await readIdentity(files, nodeName)
    const { notAfter } = parseCertificate(present.certificate)
    const isFresh = clock.now() < notAfter.getTime() || clock.monotonic() < renewing.restUntil
    if (!renewing.isDistrusted && isFresh) return present
    try {
      return await renew(options, present, renewing)
    } catch (error) {
      if (error instanceof RefusedError && error.code === 'HUB_CERTIFICATE_REFUSED') throw error
      log.warn('The certificate has ended and could not be renewed yet', {
        node: nodeName,
        error: describeError(error),
      })
      return present
    }
  }
  return {
    name: 'CertificateRotation',
    identity,
    distrust: () => {
      renewing.isDistrusted = true
    },
    async start(scope) {
      await finishCommit(files)
      await readIdentity(files, nodeName)
      scope.run((signal) => keepFresh(options, renewing, signal))
    },
  }
}

interface RenewalState {
  isDistrusted: boolean
  /** One at a time, whoever asks. */
  now: Promise<LinkIdentity> | undefined
  /** Monotonic ms. A certificate that has just come is not renewed again, even where it is old by a clock that runs ahead. */
  restUntil: number
}

const LONGEST_REST = minutes(60)

/** Looks again at least this often: the wall clock may jump, and stands still while the machine sleeps. */
const LONGEST_SLEEP = minutes(5)

async function keepFresh(options: RotationOptions, renewing: RenewalState, signal: AbortSignal): Promise<void> {
  const { clock, random, log, files, nodeName } = options
  const backoff = new Backoff({ first: seconds(2), most: minutes(10) }, random)
  const share = 0.7 + 0.2 * random.next()
  while (!signal.aborted) {
    try {
      const present = await readIdentity(files, nodeName)
      const { notBefore, notAfter } = parseCertificate(present.certificate)
      const due = notBefore.getTime() + (notAfter.getTime() - notBefore.getTime()) * share
      const wait = Math.max(due - clock.now(), renewing.restUntil - clock.monotonic())
      if (wait > 0) {
        await clock.sleep(ms(Math.min(wait, LONGEST_SLEEP.milliseconds)), signal)
        continue
      }
      await renew({ ...options, signal }, present, renewing)
      backoff.reset()
    } catch (error) {
      signal.throwIfAborted()
      log.warn('Certificate could not be renewed', { node: nodeName, error: describeError(error) })
      await clock.sleep(backoff.next(), signal)
    }
  }
}

function renew(
  options: RotationOptions & { readonly signal?: AbortSignal },
  present: LinkIdentity,
  renewing: RenewalState,
): Promise<LinkIdentity> {
  renewing.now ??= renewNow(options, present, renewing).finally(() => {
    renewing.now = undefined
  })
  return renewing.now
}

async function renewNow(
  options: RotationOptions & { readonly signal?: AbortSignal },
  present: LinkIdentity,
  renewing: RenewalState,
): Promise<LinkIdentity> {
  // Loaded when it is due: what makes a request is large, and needed once in months.
  const { renewIdentity } = await import('./join-node.ts')
  const renewed = await renewIdentity({ ...options, present })
  renewing.isDistrusted = false
  rest(renewed, options, renewing)
  options.log.info('Certificate renewed', { node: options.nodeName })
  options.onRotated()
  return renewed
}

function rest({ certificate }: LinkIdentity, { clock, log, nodeName }: RotationOptions, renewing: RenewalState): void {
  const { notBefore, notAfter } = parseCertificate(certificate)
  const lifetime = notAfter.getTime() - notBefore.getTime()
  renewing.restUntil = clock.monotonic() + Math.min(LONGEST_REST.milliseconds, lifetime / 2)
  if (clock.now() < notAfter.getTime()) return
  log.warn('A certificate that has just been issued has ended by the clock of this machine: set the clock', {
    node: nodeName,
    notAfter: notAfter.toISOString(),
  })
}
