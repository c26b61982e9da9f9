import type { StructuralSchema } from '../resource.ts'

const text: StructuralSchema = { type: 'string' }
const time: StructuralSchema = { type: 'string', format: 'date-time', nullable: true }
const texts: StructuralSchema = { type: 'object', additionalProperties: text }

const ownerReference: StructuralSchema = {
  type: 'object',
  'x-skerry-type': 'io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference',
  'x-skerry-kept': ['apiVersion', 'blockOwnerDeletion', 'controller', 'kind', 'name', 'uid'],
  required: ['apiVersion', 'kind', 'name', 'uid'],
  properties: {
    apiVersion: text,
    blockOwnerDeletion: { type: 'boolean' },
    controller: { type: 'boolean' },
    kind: text,
    name: text,
    uid: text,
  },
  'x-kubernetes-map-type': 'atomic',
}

const managedFields: StructuralSchema = {
  type: 'object',
  'x-skerry-type': 'io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry',
  'x-skerry-kept': [],
  properties: {
    apiVersion: text,
    fieldsType: text,
    fieldsV1: {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
      'x-skerry-type': 'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1',
    },
    manager: text,
    operation: text,
    subresource: text,
    time,
  },
}

/** `metadata` of every kind, also of those whose own schema says only that it is an object. */
export const OBJECT_META: StructuralSchema = {
  type: 'object',
  'x-skerry-type': 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta',
  // A client that empties its managers means that.
  'x-skerry-kept': ['deletionGracePeriodSeconds', 'managedFields'],
  properties: {
    annotations: texts,
    creationTimestamp: time,
    deletionGracePeriodSeconds: { type: 'integer', format: 'int64' },
    deletionTimestamp: time,
    finalizers: {
      type: 'array',
      items: text,
      'x-kubernetes-list-type': 'set',
      'x-kubernetes-patch-strategy': 'merge',
    },
    generateName: text,
    generation: { type: 'integer', format: 'int64' },
    labels: texts,
    managedFields: { type: 'array', items: managedFields, 'x-kubernetes-list-type': 'atomic' },
    name: text,
    namespace: text,
    ownerReferences: {
      type: 'array',
      items: ownerReference,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['uid'],
      'x-kubernetes-patch-strategy': 'merge',
      'x-kubernetes-patch-merge-key': 'uid',
    },
    resourceVersion: text,
    selfLink: text,
    uid: text,
  },
}

/** The schema of a whole object: what its version declares, with the metadata that all kinds share. */
export function rootSchema(schema: StructuralSchema | undefined): StructuralSchema {
  if (schema?.properties?.['metadata'] === OBJECT_META) return schema
  const known = roots.get(schema ?? OPEN)
  if (known) return known
  const body = schema ?? OPEN
  const root = { ...body, type: 'object', properties: { ...body.properties, ...IDENTITY } } as const
  roots.set(body, root)
  return root
}

const OPEN: StructuralSchema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
const IDENTITY = { apiVersion: text, kind: text, metadata: OBJECT_META } as const
/** Roots live as long as the schema they were made of. */
const roots = new WeakMap<StructuralSchema, StructuralSchema>()
