import { type Static, Type } from 'typebox'
import { strict } from './fields.ts'

const ISOLATIONS = [Type.Literal('worker'), Type.Literal('process'), Type.Literal('none')] as const
const HEAP = { minimum: 16, maximum: 65536 } as const

const mapper = Type.String({
  minLength: 1,
  maxLength: 1024,
  description:
    'Name of a package, or path of a file or of a package folder. A path begins with / or . and counts from the folder of this configuration file.',
})

const MapperUse = Type.Object(
  {
    mapper,
    aliases: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
        maxItems: 32,
        description: 'More names in protocolName that this mapper serves, beside its own protocol.',
      }),
    ),
    isolation: Type.Optional(Type.Union([...ISOLATIONS], { description: 'As mappers.isolation, for this mapper.' })),
    heapMegabytes: Type.Optional(Type.Integer({ ...HEAP, description: 'As mappers.heapMegabytes, for this mapper.' })),
  },
  strict,
)

/** Which mappers a node has, and how they run. */
export const MappersConfig = Type.Object(
  {
    isolation: Type.Union([...ISOLATIONS], {
      default: 'worker',
      description:
        'Where a mapper runs that has devices. worker: in a thread of its own. process: in a process of its own, which may crash in native code and takes about 65 MB of memory. none: in the main thread, for debugging.',
    }),
    heapMegabytes: Type.Integer({
      ...HEAP,
      default: 256,
      description:
        'MiB of JavaScript heap, and again as much of buffers, that one mapper may use. With more it is started again.',
    }),
    use: Type.Array(Type.Union([mapper, MapperUse]), {
      default: [],
      maxItems: 64,
      description:
        'Mappers of others, each by its mapper alone or with settings. They run with the rights of the edge. One of them goes before a built-in one for the same protocol.',
    }),
  },
  { ...strict, default: {}, description: 'Mapper host.' },
)
export type MappersConfig = Static<typeof MappersConfig>

/** The same for the edge of `skerry up`. */
export const UpMappersConfig = Type.Object(MappersConfig.properties, {
  ...strict,
  description:
    'Mapper host of the edge node, as in the configuration of the edge. Written to DIR/edge/config.yaml at each start of skerry up; absent: what stands there holds.',
})
