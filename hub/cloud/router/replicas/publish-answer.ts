import { RefusedError, SkerryError, UnavailableError } from '../../../../platform/lifecycle/index.ts'
import { DeadlineError } from '../../../../platform/time/index.ts'
import { isJsonObject } from '../../kubernetes/guards.ts'

export type Outcome = 'delivered' | 'handed'

const TEXTS: Readonly<Record<string, string>> = {
  HUB_NODE_BUSY: 'Too many questions to nodes wait for their answer',
  HUB_NODE_SILENT: 'The node has not answered in time',
}

/** What a replica tells another that its attempt has failed with: no more than what `CloudHub.ask` rejects with. */
export function failureText(error: unknown): string {
  const code = error instanceof SkerryError || error instanceof DeadlineError ? error.code : 'PLATFORM_INTERNAL'
  const { reason, wasSent } = error instanceof SkerryError ? error.fields : {}
  return JSON.stringify({ failed: { code, reason, wasSent } })
}

export function outcomeText(outcome: Outcome): string {
  return JSON.stringify({ outcome })
}

/** The outcome, or a rejection as `CloudHub.ask` would have it here; nothing where it cannot be understood. */
export function readOutcome(node: string, text: string): Outcome | SkerryError | undefined {
  const answer = parsed(text)
  if (!isJsonObject(answer)) return undefined
  const { outcome, failed } = answer
  if (outcome === 'delivered' || outcome === 'handed') return outcome
  if (!isJsonObject(failed)) return undefined
  const { code, reason, wasSent } = failed
  if (code === 'HUB_NODE_REFUSED')
    return new RefusedError('The node answered with an error', { code, fields: { reason: String(reason) } })
  if (code === 'HUB_NODE_SILENT' || code === 'HUB_NODE_BUSY')
    return new UnavailableError(TEXTS[code] ?? '', { code, fields: { node, wasSent: wasSent === true } })
  return awayError(node, wasSent !== false)
}

/** As the hub itself says it: neither the caller nor a lane need know how many replicas there are. */
export function awayError(node: string, wasSent: boolean, cause?: unknown): UnavailableError {
  const fields = { node, wasSent }
  return new UnavailableError('The node is not connected', { code: 'HUB_NODE_AWAY', fields, cause })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
