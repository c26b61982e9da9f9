import { isDeepStrictEqual } from 'node:util'
import { isRecord } from '../kubernetes/guards.ts'
import { type AnyObject, type Kubernetes, type ResourceType, reasonOfError } from '../kubernetes/index.ts'

/** Makes a webhook configuration or brings it up to date; others' changes are overwritten. Answers whether it had to write. */
export async function applyWebhooks(
  kubernetes: Kubernetes,
  type: ResourceType<AnyObject>,
  name: string,
  webhooks: readonly object[],
  signal: AbortSignal,
): Promise<boolean> {
  const present = await kubernetes.get(type, { name }, signal)
  if (present && isAsWanted(Reflect.get(present, 'webhooks'), webhooks)) return false
  const bringUpToDate = () => kubernetes.patch(type, { name }, { webhooks }, { type: 'merge' }, signal)
  if (present) {
    await bringUpToDate()
    return true
  }
  try {
    await kubernetes.create(type, undefined, { metadata: { name }, webhooks }, signal)
  } catch (error) {
    if (reasonOfError(error) !== 'AlreadyExists') throw error
    await bringUpToDate()
  }
  return true
}

/** API servers fill in what was left out. */
function isAsWanted(present: unknown, wanted: readonly object[]): boolean {
  if (!Array.isArray(present) || present.length !== wanted.length) return false
  return wanted.every((webhook, at) => {
    const known: unknown = present[at]
    return isRecord(known) && Object.entries(webhook).every(([key, value]) => isDeepStrictEqual(known[key], value))
  })
}
