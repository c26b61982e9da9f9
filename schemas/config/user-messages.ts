import { type Static, Type } from 'typebox'
import { strict } from './fields.ts'

/** `cloud.userMessages` of `skerry edge`. */
export const UserMessagesConfig = Type.Object(
  {
    maxMessages: Type.Integer({
      default: 100_000,
      minimum: 1,
      description: 'Most messages of MQTT clients that wait for the cloud; beyond it the oldest are dropped.',
    }),
    maxBytes: Type.Integer({
      default: 67_108_864,
      minimum: 1024,
      description: 'Most bytes of them together, topics and payloads.',
    }),
    maxAgeHours: Type.Integer({
      default: 168,
      minimum: 1,
      maximum: 87_600,
      description: 'A message that has waited longer is dropped.',
    }),
  },
  {
    ...strict,
    default: {},
    description: 'Messages on SYS/dis/upload_records, $hw/events/upload/# and +/user/#, kept until the cloud has them.',
  },
)
export type UserMessagesConfig = Static<typeof UserMessagesConfig>
