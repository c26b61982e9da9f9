import type { Row } from '../../../platform/store/index.ts'
import type { DropsKind } from '../outbox/drops.ts'
import type { OutboxKind, Stored } from '../outbox/outbox.ts'

/** What an MQTT client said to the cloud. */
export interface UserMessage extends Stored {
  readonly topic: string
  readonly payload: Uint8Array
}

export const USER_DROPS: DropsKind = {
  domain: 'user',
  metric: 'skerry_edgehub_user_dropped_total',
  help: 'Messages of MQTT clients to the cloud that were dropped, by reason.',
  copies: {
    name: 'skerry_edgehub_user_copies_dropped_total',
    help: 'Messages of MQTT clients that the cloud had taken, and that were not kept until their targets had them, for the bounds.',
  },
  condition: 'UserMessagesDropped',
  what: 'Messages of MQTT clients',
}

/** They are all of one line. */
export const USER_MESSAGES: OutboxKind<UserMessage> = {
  domain: 'user',
  messageOf({ id, frame, topic, payload }: Row) {
    return {
      ...{ id: Number(id), frameId: String(frame), topic: String(topic) },
      payload: payload instanceof Uint8Array ? payload : new Uint8Array(0),
    }
  },
}
