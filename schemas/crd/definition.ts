import type { JsonObject } from '../device/index.ts'
import type { CrdSchema } from './schema-parts.ts'

/** A CustomResourceDefinition (apiextensions.k8s.io/v1) as plain data, ready to be applied. */
export type CustomResourceDefinition = JsonObject & {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec: JsonObject
}

export interface CrdVersion {
  readonly name: string
  readonly schema: CrdSchema
  /** The first version with it is the one in which objects are stored. */
  readonly storage?: boolean
  readonly status?: boolean
  readonly columns?: readonly CrdColumn[]
}

export interface CrdColumn {
  readonly name: string
  readonly type: 'string' | 'integer' | 'date'
  readonly jsonPath: string
  readonly description?: string
  /** Above 0: only with -o wide. */
  readonly priority?: number
}

export interface CrdNames {
  readonly group: string
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly shortNames?: readonly string[]
  readonly scope: 'Namespaced' | 'Cluster'
}

export const AGE: CrdColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }

export function defineCrd(names: CrdNames, versions: readonly CrdVersion[]): CustomResourceDefinition {
  const { group, scope, kind, plural, singular, shortNames } = names
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names: { kind, listKind: `${kind}List`, plural, singular, ...(shortNames ? { shortNames } : {}) },
      scope,
      versions: versions.map(versionOf),
    },
  }
}

function versionOf({ name, schema, storage, status, columns }: CrdVersion): JsonObject {
  return {
    name,
    served: true,
    storage: storage ?? false,
    ...(status ? { subresources: { status: {} } } : {}),
    ...(columns ? { additionalPrinterColumns: columns.map((column) => ({ ...column })) } : {}),
    schema: { openAPIV3Schema: schema },
  }
}
