import { type Static, Type } from 'typebox'
import {
  Amount,
  closed,
  FieldReference,
  flag,
  KeyToPath,
  list,
  Mode,
  optional,
  ResourceReference,
  text,
} from './parts.ts'

/** `rw-r--r--`, Kubernetes' default. */
const defaultMode = Type.Integer({ default: 0o644, minimum: 0, maximum: 0o777 })

export const DownwardFile = Type.Object(
  {
    path: text(),
    fieldRef: optional(FieldReference),
    resourceFieldRef: optional(ResourceReference),
    mode: optional(Mode),
  },
  closed,
)
export type DownwardFile = Static<typeof DownwardFile>

const Keys = { items: list(KeyToPath), optional: flag(false) }
const NamedKeys = Type.Object({ name: text(), ...Keys }, closed)

export const ProjectedSource = Type.Object(
  {
    configMap: optional(NamedKeys),
    secret: optional(NamedKeys),
    downwardAPI: optional(Type.Object({ items: list(DownwardFile) }, closed)),
    serviceAccountToken: optional(
      Type.Object(
        { path: text(), audience: text(''), expirationSeconds: Type.Integer({ default: 3600, minimum: 600 }) },
        closed,
      ),
    ),
  },
  closed,
)
export type ProjectedSource = Static<typeof ProjectedSource>

export const HOST_PATH_TYPES = [
  '',
  'DirectoryOrCreate',
  'Directory',
  'FileOrCreate',
  'File',
  'Socket',
  'CharDevice',
  'BlockDevice',
] as const

export const Volume = Type.Object(
  {
    name: text(),
    emptyDir: optional(
      Type.Object(
        {
          medium: Type.Union([Type.Literal(''), Type.Literal('Memory')], { default: '' }),
          sizeLimit: optional(Amount),
        },
        closed,
      ),
    ),
    hostPath: optional(
      Type.Object(
        {
          path: text(),
          type: Type.Union(
            HOST_PATH_TYPES.map((type) => Type.Literal(type)),
            { default: '' },
          ),
        },
        closed,
      ),
    ),
    configMap: optional(Type.Object({ name: text(), defaultMode, ...Keys }, closed)),
    secret: optional(Type.Object({ secretName: text(), defaultMode, ...Keys }, closed)),
    downwardAPI: optional(Type.Object({ items: list(DownwardFile), defaultMode }, closed)),
    projected: optional(Type.Object({ sources: list(ProjectedSource), defaultMode }, closed)),
  },
  closed,
)
export type Volume = Static<typeof Volume>
