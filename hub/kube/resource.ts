import type { JsonObject } from '../../schemas/index.ts'

/** OpenAPI v3 schema in the structural form that CustomResourceDefinitions ask for. */
export interface StructuralSchema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
  readonly description?: string
  readonly format?: string
  readonly properties?: Readonly<Record<string, StructuralSchema>>
  readonly additionalProperties?: boolean | StructuralSchema
  readonly items?: StructuralSchema
  readonly required?: readonly string[]
  readonly enum?: readonly unknown[]
  readonly default?: unknown
  readonly nullable?: boolean
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: boolean
  readonly exclusiveMaximum?: boolean
  readonly multipleOf?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly uniqueItems?: boolean
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly allOf?: readonly StructuralSchema[]
  readonly anyOf?: readonly StructuralSchema[]
  readonly oneOf?: readonly StructuralSchema[]
  readonly not?: StructuralSchema
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean
  readonly 'x-kubernetes-int-or-string'?: boolean
  readonly 'x-kubernetes-embedded-resource'?: boolean
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map'
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-map-type'?: 'atomic' | 'granular'
  /** Strategic merge patch (built-in kinds only). */
  readonly 'x-kubernetes-patch-strategy'?: string
  readonly 'x-kubernetes-patch-merge-key'?: string
  /** Name of a built-in structure (`io.k8s.api.core.v1.PodSpec`) in OpenAPI documents and, shortened, in decoding errors. */
  readonly 'x-skerry-type'?: string
  /** Of a built-in structure: what stays although it is empty; empty fields beside these are left out. */
  readonly 'x-skerry-kept'?: readonly string[]
  /** Bounds that an error tells in the words of built-in kinds. */
  readonly 'x-skerry-range'?: boolean
  /** A list that is taken with two items of the same key (built-in kinds only). */
  readonly 'x-skerry-repeats'?: boolean
  /** A part that is there, if empty, wherever the structure around it is (built-in kinds only). */
  readonly 'x-skerry-always-there'?: boolean
  /** CEL rules, as they came; see kube/cel. */
  readonly 'x-kubernetes-validations'?: readonly unknown[]
}

export interface PrinterColumn {
  readonly name: string
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  readonly jsonPath: string
  readonly format?: string
  readonly description?: string
  /** 0 shows always, above only with -o wide. */
  readonly priority?: number
}

/** A subresource that takes an object of another kind and does something. */
export interface SubresourceAction {
  readonly subresource: string
  readonly group: string
  readonly version: string
  readonly kind: string
}

/** A subresource that leads through the API to somewhere else. */
export interface SubresourceConnect {
  readonly subresource: string
  /** Of its options in the core group, or of the object itself. */
  readonly kind: string
  readonly verbs: readonly string[]
}

/** One subresource as discovery names it. */
export interface Subresource {
  readonly name: string
  /** Of the objects that it takes and answers with. */
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly verbs: readonly string[]
}

/** Where the scale of an object stands in it, segment by segment. */
export interface ScalePaths {
  readonly specReplicas: readonly string[]
  readonly statusReplicas: readonly string[]
  /** Text of a label selector; absent for built-in kinds, which have a structured one in `spec.selector`. */
  readonly labelSelector?: readonly string[]
}

/** One version of one kind that an API server serves: built in, or declared by a CustomResourceDefinition. */
export interface ResourceDefinition {
  /** Empty for the core group. */
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly listKind: string
  readonly plural: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly namespaced: boolean
  /** The version in which objects of this kind are stored. */
  readonly storage: boolean
  /** False only for a version that objects may be stored in but that nobody can ask for. */
  readonly served?: boolean
  readonly custom: boolean
  readonly statusSubresource: boolean
  /** Absent: it has no subresource `scale`. */
  readonly scale?: ScalePaths
  /** Subresources that write a part of the object beside status, such as `approval`. */
  readonly parts?: readonly string[]
  /** What is created below an object, such as the Eviction of a Pod. */
  readonly actions?: readonly SubresourceAction[]
  /** What leads through the API to the node of an object. */
  readonly connects?: readonly SubresourceConnect[]
  /** All of them, instead of what the fields above say. */
  readonly subresources?: readonly Subresource[]
  /** Another server has it, and this one passes on what is asked of it: what it has itself goes before. */
  readonly elsewhere?: boolean
  /** What can be asked of objects of this kind; absent: everything. */
  readonly verbs?: readonly string[]
  readonly schema: StructuralSchema | undefined
  readonly printerColumns: readonly PrinterColumn[]
  /** Fields beside name and namespace that field selectors may ask for: `spec.zone`. */
  readonly selectableFields?: readonly string[]
  /** What everybody who asks for this version is told. */
  readonly deprecationWarning?: string
}

/** A Kubernetes object as an API server holds it. */
export type ApiObject = JsonObject & {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: JsonObject
}
