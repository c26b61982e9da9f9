import { Type } from 'typebox'
import { strict } from './fields.ts'

/** What the embedded broker keeps for clients that are away, and of retained messages. */
export const MqttSessions = Type.Object(
  {
    maxSessions: Type.Integer({
      default: 1000,
      minimum: 0,
      description: 'Most sessions that outlive their connection. A client that asks for one more is refused.',
    }),
    expireAfter: Type.String({
      default: '7d',
      pattern: '^\\d+(\\.\\d+)?(s|m|h|d)?$',
      description: 'How long a session waits for its client, such as 12h or 7d; 0: for ever.',
    }),
    maxQueued: Type.Integer({
      default: 5000,
      minimum: 1,
      maximum: 60_000,
      description: 'Most messages that wait for one client. Beyond that the oldest is dropped.',
    }),
    maxQueuedBytes: Type.Integer({
      default: 4_194_304,
      minimum: 1024,
      description: 'Most bytes that wait for one client.',
    }),
    maxRetained: Type.Integer({
      default: 10_000,
      minimum: 0,
      description: 'Most topics with a retained message. Beyond that a message is delivered and not retained.',
    }),
    maxRetainedBytes: Type.Integer({
      default: 67_108_864,
      minimum: 0,
      description: 'Most bytes of retained messages.',
    }),
  },
  {
    ...strict,
    default: {},
    description:
      'Sessions and retained messages of the embedded broker. They are in DIR/mqtt.db and survive a restart.',
  },
)
