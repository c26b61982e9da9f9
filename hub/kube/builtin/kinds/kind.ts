import type { ResourceDefinition, ScalePaths, SubresourceAction, SubresourceConnect } from '../../resource.ts'
import { resolveType } from '../resolve-type.ts'

export interface Kind {
  readonly group?: string
  readonly version?: string
  readonly plural: string
  readonly singular?: string
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
  readonly namespaced?: boolean
  readonly status?: boolean
  readonly scale?: ScalePaths
  /** Subresources that write a part of the object, beside status. */
  readonly parts?: readonly string[]
  readonly actions?: readonly SubresourceAction[]
  readonly connects?: readonly SubresourceConnect[]
  /** Class of the models that its schema is made from. */
  readonly model: string
  readonly storage?: boolean
  /** Absent: all. */
  readonly verbs?: readonly string[]
  readonly deprecationWarning?: string
}

/** A kind of Kubernetes itself, of version v1 unless told. */
export function builtin(kind: string, declared: Kind): ResourceDefinition {
  const { group = '', version = 'v1', plural, singular = kind.toLowerCase() } = declared
  const { shortNames = [], categories = [], namespaced = false, status = false, storage = true } = declared
  const { actions, connects, scale, parts, verbs, deprecationWarning } = declared
  return {
    ...{ group, version, kind, plural, singular, shortNames, categories, namespaced, storage },
    listKind: `${kind}List`,
    custom: false,
    statusSubresource: status,
    ...(actions ? { actions } : {}),
    ...(connects ? { connects } : {}),
    ...(scale ? { scale } : {}),
    ...(parts ? { parts } : {}),
    ...(verbs ? { verbs } : {}),
    ...(deprecationWarning === undefined ? {} : { deprecationWarning }),
    schema: resolveType(declared.model),
    printerColumns: [],
  }
}
