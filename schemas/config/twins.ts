import { Type } from 'typebox'
import { strict } from './fields.ts'

/** `twins` of `skerry edge`. */
export const TwinsConfig = Type.Object(
  {
    maxValueBytes: Type.Integer({
      default: 65_536,
      minimum: 1,
      maximum: 1_048_576,
      description: 'Longest value of a property, bytes of UTF-8. Must fit into mqtt.maxPacketBytes.',
    }),
    names: Type.Union([Type.Literal('any'), Type.Literal('kubeedge')], {
      default: 'any',
      description:
        "any: names and values of MQTT clients are any text. kubeedge: KubeEdge's rule, names of 1 to 128 and values of at most 512 characters out of a-z A-Z 0-9 - _ . , : / @ #.",
    }),
  },
  { ...strict, default: {}, description: 'DeviceTwin: what twins may hold.' },
)
