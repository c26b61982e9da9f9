import { Type } from 'typebox'
import { strict } from './fields.ts'

/** `services` of `skerry cloud`. */
export const ServicesConfig = Type.Object(
  {
    intervalSeconds: Type.Integer({
      default: 10,
      minimum: 1,
      maximum: 3600,
      description:
        'A node is told of changes in a namespace so often, and not more: of each object the latest form, whatever it was meanwhile.',
    }),
    intervalBytes: Type.Integer({
      default: 65_536,
      minimum: 4096,
      description:
        'A node is told so much of a namespace at a time; changes beyond that wait for the next time, the oldest first.',
    }),
    maxObjectBytes: Type.Integer({
      default: 65_536,
      minimum: 4096,
      description: 'A larger object, as JSON, is given to no node; MetaServer asks the cloud for it.',
    }),
    maxObjects: Type.Integer({
      default: 2000,
      minimum: 0,
      description:
        'Most of these objects that one node is given, Services before EndpointSlices before Endpoints. The Node has the condition ServicesLeftOut while there are more.',
    }),
    maxBytes: Type.Integer({ default: 2_097_152, minimum: 0, description: 'Most bytes of them for one node.' }),
  },
  {
    ...strict,
    default: {},
    description:
      'Services, EndpointSlices and Endpoints of the namespaces of its pods, which each node with MetaServer keeps for the time without the cloud.',
  },
)
