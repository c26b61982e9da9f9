import type { Row } from '../../../../platform/store/index.ts'
import type { DropsKind } from '../../outbox/drops.ts'
import type { OutboxKind, Stored } from '../../outbox/outbox.ts'

/** A call of a local application for which nobody waits. */
export interface StoredCall extends Stored {
  readonly rule: string
  /** Method, headers and the like, as JSON. */
  readonly head: string
  readonly body: Buffer
}

export const CALL_DROPS: DropsKind = {
  domain: 'servicebus',
  metric: 'skerry_servicebus_dropped_total',
  help: 'Stored calls of local applications to the cloud that were dropped, by reason.',
  copies: {
    name: 'skerry_servicebus_copies_dropped_total',
    help: 'Stored calls that the cloud had taken, and that were not kept until their targets had them, for the bounds.',
  },
  condition: 'StoredCallsDropped',
  what: 'Stored calls of local applications',
}

/** Each rule is a line of its own, so that none waits for another. */
export const STORED_CALLS: OutboxKind<StoredCall> = {
  domain: 'servicebus',
  messageOf({ id, frame, rule, head, body }: Row) {
    return {
      ...{ id: Number(id), frameId: String(frame), rule: String(rule), head: String(head) },
      body: Buffer.from(body instanceof Uint8Array ? body : []),
    }
  },
}
