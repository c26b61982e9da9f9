import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { type Clock, type Random, seconds } from '../../../platform/time/index.ts'
import type { Kubernetes } from '../kubernetes/index.ts'
import type { Access, User } from './access.ts'
import { AccessReviews } from './access-reviews.ts'
import type { CacheBounds } from './answer-cache.ts'
import type { ClientAuthority } from './client-authority.ts'
import { userOfCertificate } from './client-certificate.ts'
import { TokenReviews } from './token-reviews.ts'

export interface AccessPorts {
  readonly kubernetes: Kubernetes
  readonly authority: ClientAuthority
  readonly clock: Clock
  readonly random: Random
  readonly metrics?: Metrics
}

/** A right that was taken away, and a token that was revoked, are honoured no longer than this. */
const BOUNDS: CacheBounds = { good: seconds(60), bad: seconds(10), most: 2000, atOnce: 64, within: seconds(10) }
const EVERYBODY = 'system:authenticated'

/** As a kubelet in webhook mode does it, without anonymous callers: the certificate first, then the token. */
export function createAccess(ports: AccessPorts, bounds: Partial<CacheBounds> = {}): Access {
  const { clock, authority, metrics = silentMetrics } = ports
  const tokens = new TokenReviews({ ...BOUNDS, ...bounds }, ports)
  const reviews = new AccessReviews({ ...BOUNDS, ...bounds }, ports)
  const checks = metrics.counter({
    name: 'skerry_access_checks_total',
    help: 'Callers of the stream endpoint and of the Router that were looked at: who they are, and what they may do, by outcome.',
    labels: ['check', 'outcome'],
  })
  const counted = async <T>(check: string, work: Promise<T>, isGood: (answer: T) => boolean): Promise<T> => {
    try {
      const answer = await work
      checks.add(1, { check, outcome: isGood(answer) ? 'yes' : 'no' })
      return answer
    } catch (error) {
      checks.add(1, { check, outcome: 'failed' })
      throw error
    }
  }

  const identify = async ({ certificate, token }: Parameters<Access['authenticate']>[0], signal: AbortSignal) => {
    const certified = certificate && userOfCertificate(certificate, authority.certificates, clock.now())
    const user = certified ?? (token === undefined ? undefined : await tokens.owner(token, signal))
    return user && authenticated(user)
  }
  return {
    authenticate: (shown, signal) => counted('identity', identify(shown, signal), (user) => user !== undefined),
    authorize: (user, wanted, signal) =>
      counted('rights', reviews.decide(user, wanted, signal), ({ allowed }) => allowed),
  }
}

function authenticated(user: User): User {
  return { ...user, groups: [...user.groups.filter((group) => group !== EVERYBODY), EVERYBODY] }
}
