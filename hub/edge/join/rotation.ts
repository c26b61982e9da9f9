import { parseCertificate } from '../../../platform/certificates/index.ts'
import { describeError, type Module } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { Backoff, type Clock, minutes, ms, type Random, seconds } from '../../../platform/time/index.ts'
import { type IdentityFiles, readIdentity } from './identity-files.ts'

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

/** Renews the certificate between 70 and 90 % of its lifetime, at a moment drawn by chance so that a fleet does not ask at once. */
export function createRotationModule(options: RotationOptions): Module {
  return {
    name: 'CertificateRotation',
    async start(scope) {
      await readIdentity(options.files, options.nodeName)
      scope.run((signal) => keepFresh(options, signal))
    },
  }
}

/** Looks again at least this often: the wall clock may jump. */
const LONGEST_SLEEP = minutes(60)

async function keepFresh(options: RotationOptions, signal: AbortSignal): Promise<void> {
  const { clock, random, log, files, nodeName } = options
  const backoff = new Backoff({ first: seconds(2), most: minutes(10) }, random)
  const share = 0.7 + 0.2 * random.next()
  while (!signal.aborted) {
    const present = await readIdentity(files, nodeName)
    const { notBefore, notAfter } = parseCertificate(present.certificate)
    const due = notBefore.getTime() + (notAfter.getTime() - notBefore.getTime()) * share
    const wait = due - clock.now()
    if (wait > 0) {
      await clock.sleep(ms(Math.min(wait, LONGEST_SLEEP.milliseconds)), signal)
      continue
    }
    try {
      // Loaded when it is due: what makes a request is large, and needed once in months.
      const { renewIdentity } = await import('./join-node.ts')
      await renewIdentity({ ...options, present, signal })
      backoff.reset()
      log.info('Certificate renewed', { node: nodeName })
      options.onRotated()
    } catch (error) {
      signal.throwIfAborted()
      log.warn('Certificate could not be renewed', { node: nodeName, error: describeError(error) })
      await clock.sleep(backoff.next(), signal)
    }
  }
}
