import { describeError } from '../../../platform/lifecycle/index.ts'
import { CERTIFICATE_ENDED, type LinkDialer } from '../../link/index.ts'
import type { Rotation } from './rotation.ts'

/** Alert 45 of TLS (RFC 8446 6), which cloudcore sends, as OpenSSL 3 words it. Our own verdict on a server's certificate reads otherwise. */
const EXPIRED_ALERT = /alert certificate expired/i

/**
 * Dials, and has the certificate renewed before the next attempt where CloudHub says that it has ended. The clock of this machine,
 * by which the certificate would be good for weeks, may be wrong.
 */
export function renewingDialer(dialer: LinkDialer, rotation: Pick<Rotation, 'distrust'>): LinkDialer {
  return {
    async dial(headers, signal) {
      try {
        return await dialer.dial(headers, signal)
      } catch (error) {
        distrustEnded(error, rotation)
        throw error
      }
    },
  }
}

/** Has the certificate renewed before the next attempt where the other end says that it has ended. */
export function distrustEnded(error: unknown, rotation: Pick<Rotation, 'distrust'>): void {
  const said = describeError(error)
  if (said.includes(CERTIFICATE_ENDED) || EXPIRED_ALERT.test(said)) rotation.distrust()
}
