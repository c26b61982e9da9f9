import type { Clock } from '../../../platform/time/index.ts'
import { isRecord, parseJson } from '../kubernetes/guards.ts'
import { type Kubernetes, reasonOfError, SECRETS } from '../kubernetes/index.ts'
import { bytesOf, type SecretBytes, SYSTEM_NAMESPACE, writeSecret } from './secrets.ts'
import type { TokenClaims } from './tokens.ts'

export const USED_TOKENS_SECRET = 'skerry-used-tokens'

/**
 * Marks a node-bound token as used by one key, durably and across replicas. True also when the same key used it before: the
 * edge may not have got the answer. Entries go when their token has expired.
 */
export async function redeemOnce(
  kubernetes: Kubernetes,
  clock: Clock,
  claims: TokenClaims,
  keyFingerprint: string,
  signal: AbortSignal,
): Promise<boolean> {
  const at = { namespace: SYSTEM_NAMESPACE, name: USED_TOKENS_SECRET }
  for (let attempt = 0; ; attempt++) {
    const present = await kubernetes.get(SECRETS, at, signal)
    const used = present ? bytesOf(present) : {}
    const mine = used[claims.id]
    if (mine) return readEntry(mine)?.key === keyFingerprint
    const entry = new TextEncoder().encode(JSON.stringify({ key: keyFingerprint, expires: claims.expires }))
    const next = { ...withoutExpired(used, clock.now() / 1000), [claims.id]: entry }
    try {
      await writeSecret(kubernetes, USED_TOKENS_SECRET, next, present, signal)
      return true
    } catch (error) {
      const reason = reasonOfError(error)
      if (attempt >= 5 || (reason !== 'AlreadyExists' && reason !== 'Conflict')) throw error
    }
  }
}

function withoutExpired(used: SecretBytes, nowSeconds: number): SecretBytes {
  return Object.fromEntries(Object.entries(used).filter(([, bytes]) => (readEntry(bytes)?.expires ?? 0) > nowSeconds))
}

function readEntry(bytes: Uint8Array): { readonly key: string; readonly expires: number } | undefined {
  const entry = parseJson(new TextDecoder().decode(bytes))
  if (!isRecord(entry) || typeof entry['key'] !== 'string' || typeof entry['expires'] !== 'number') return undefined
  return { key: entry['key'], expires: entry['expires'] }
}
