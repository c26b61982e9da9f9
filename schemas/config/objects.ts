import { type Static, Type } from 'typebox'
import { strict } from './fields.ts'

/** `cloud.objects` of `skerry edge`. */
export const ObjectsConfig = Type.Object(
  {
    maxObjects: Type.Integer({
      default: 100_000,
      minimum: 100,
      description: 'Most objects of the cloud (devices, models, pods, ConfigMaps, Secrets ...) that this node keeps.',
    }),
    maxObjectBytes: Type.Integer({
      default: 16_777_216,
      minimum: 65_536,
      description: 'Most bytes of one of them, as JSON. A larger one is refused, and the cloud is told so.',
    }),
    maxBytes: Type.Integer({
      default: 268_435_456,
      minimum: 1_048_576,
      description: 'Most bytes of all of them together; they are in memory and on disk.',
    }),
  },
  { ...strict, default: {}, description: 'What this node takes of the cloud’s objects.' },
)
export type ObjectsConfig = Static<typeof ObjectsConfig>
