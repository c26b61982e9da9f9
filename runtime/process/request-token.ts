import { UnavailableError } from '../../platform/lifecycle/index.ts'
import { type Duration, seconds } from '../../platform/time/index.ts'
import { askProcess } from './ask.ts'

export interface TokenRequest {
  readonly ttl: Duration
  /** The only node that may use it. */
  readonly node?: string | undefined
}

/** A join token, from the cloud half that runs in `dir`: it alone holds the signing key. */
export async function requestToken(
  dir: string,
  { ttl, node }: TokenRequest,
): Promise<{ readonly token: string } & object> {
  const body = { ttlMs: ttl.milliseconds, ...(node === undefined ? {} : { node }) }
  const answer = await askProcess(dir, 'POST', '/tokens', seconds(10), body)
  if (typeof answer === 'object' && answer !== null && 'token' in answer && typeof answer.token === 'string') {
    return { ...answer, token: answer.token }
  }
  throw new UnavailableError('The cloud half answered without a token', { code: 'PROCESS_TOKEN_MISSING' })
}
