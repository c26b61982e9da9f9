import { parsePod } from './parse-pod.ts'
import type { Pod, PodIdentity } from './pod.ts'

const GRACE_SECONDS = 30

/** A pod of which only its containers are left. */
export function unknownPod({ uid, name, namespace }: PodIdentity): Pod {
  const spec = { terminationGracePeriodSeconds: GRACE_SECONDS, containers: [{ name: 'unknown', image: 'unknown' }] }
  const parsed = parsePod({ metadata: { uid, name, namespace }, spec })
  if ('pod' in parsed) return parsed.pod
  throw new RangeError(parsed.refusal)
}
