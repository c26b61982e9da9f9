import type { Duration } from '../../../../platform/time/index.ts'
import { GROUPS, type Json, MODULES } from '../../../../schemas/index.ts'
import type { CloudHub, Question } from '../../cloudhub/delivery.ts'

export interface Publication {
  readonly node: string
  readonly topic: string
  readonly payload: Uint8Array
}

export interface PublishOptions {
  /** `delivered`: the edge has it in its broker. `none`: it is on its way. */
  readonly wait: 'none' | 'delivered'
  readonly deadline: Duration
  readonly signal?: AbortSignal
}

/**
 * Publishes at a node, once. Answers `delivered` when the broker of a Skerry edge has taken it; an original edge cannot say so, and
 * is `handed` what it gets. Rejects as CloudHub.ask does.
 */
export async function publishAt(
  hub: Pick<CloudHub, 'ask' | 'tell' | 'peerOf'>,
  { node, topic, payload }: Publication,
  { wait, deadline, signal }: PublishOptions,
): Promise<'delivered' | 'handed'> {
  const isSkerry = hub.peerOf(node)?.skerry === true
  const route = { source: MODULES.routerEventBus, group: GROUPS.user, operation: 'publish', resource: topic }
  const question: Question = { route, content: payloadContent(payload, isSkerry) }
  if (!isSkerry || wait === 'none') {
    hub.tell(node, question)
    return 'handed'
  }
  await hub.ask(node, question, { deadline, ...(signal ? { signal } : {}) })
  return 'delivered'
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Text as it is; other bytes in the form of Skerry's peers, and towards original ones as KubeEdge itself damages them. */
export function payloadContent(payload: Uint8Array, isSkerry: boolean): Json {
  try {
    return UTF8.decode(payload)
  } catch {
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
    return isSkerry ? { skerry: { base64: bytes.toString('base64') } } : bytes.toString('utf8')
  }
}
