import { describeError, type Module } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { Backoff, type Clock, minutes, type Random, seconds } from '../../../platform/time/index.ts'
import { type Kubernetes, SECRETS } from '../kubernetes/index.ts'
import type { JoinTokens } from './join-tokens.ts'
import type { AuthorityHolder } from './module.ts'
import { bytesOf, SYSTEM_NAMESPACE, writeSecret } from './secrets.ts'

export interface KeadmTokenPorts {
  readonly authority: AuthorityHolder
  readonly kubernetes: Kubernetes
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** Where `keadm gettoken` reads. */
const KEADM_SECRET = 'tokensecret'
const KEADM_KEY = 'tokendata'
const LIFETIME = minutes(24 * 60)
const MADE_ANEW_WITHIN = minutes(12 * 60)
const LOOK_EVERY = minutes(10)

/** Keeps a token for any node where KubeEdge's tools look for it. A failure is tried again, for ever. */
export function createKeadmTokenModule(ports: KeadmTokenPorts): Module {
  return {
    name: 'KeadmToken',
    async start(scope) {
      const { tokens } = ports.authority.current
      scope.run((signal) => keepFresh(tokens, ports, signal))
    },
  }
}

async function keepFresh(tokens: JoinTokens, ports: KeadmTokenPorts, signal: AbortSignal): Promise<void> {
  const { clock, random, log } = ports
  const backoff = new Backoff({ first: seconds(1), most: minutes(5) }, random)
  let rotated = new AbortController()
  using _rotations = tokens.onRotated(() => rotated.abort(new Error('the key of tokens was changed')))
  while (!signal.aborted) {
    try {
      if (await refresh(tokens, ports, signal)) log.info('Token for keadm made anew')
      backoff.reset()
      await clock.sleep(LOOK_EVERY, AbortSignal.any([signal, rotated.signal])).catch(() => signal.throwIfAborted())
      rotated = new AbortController()
    } catch (error) {
      signal.throwIfAborted()
      log.warn('The token for keadm could not be made anew; trying again', { error: describeError(error) })
      await clock.sleep(backoff.next(), signal)
    }
  }
}

async function refresh(tokens: JoinTokens, { kubernetes, clock }: KeadmTokenPorts, signal: AbortSignal) {
  const at = { namespace: SYSTEM_NAMESPACE, name: KEADM_SECRET }
  const present = await kubernetes.get(SECRETS, at, signal)
  const text = new TextDecoder().decode(present && bytesOf(present)[KEADM_KEY])
  const verdict = await tokens.verify(text, signal)
  const isFresh = verdict.ok && verdict.claims.expires * 1000 - clock.now() > MADE_ANEW_WITHIN.milliseconds
  if (isFresh) return false
  const token = await tokens.create({ ttl: LIFETIME }, signal)
  await writeSecret(kubernetes, KEADM_SECRET, { [KEADM_KEY]: new TextEncoder().encode(token) }, present, signal)
  return true
}
