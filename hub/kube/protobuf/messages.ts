import type { INamespace } from 'protobufjs'

type Fields = Readonly<Record<string, string>>

/**
 * Field numbers of Kubernetes' protobuf form (generated.proto of each API package), `number type`. Before the type:
 * `*` a list, `%` a map from text; after it `?` where Go holds a pointer, so that zero is not the same as absent.
 */
const MESSAGES: Readonly<Record<string, Fields>> = {
  Unknown: { typeMeta: '1 TypeMeta', raw: '2 bytes', contentEncoding: '3 string', contentType: '4 string' },
  TypeMeta: { apiVersion: '1 string', kind: '2 string' },
  Time: { seconds: '1 int64', nanos: '2 int32' },
  MicroTime: { seconds: '1 int64', nanos: '2 int32' },
  FieldsV1: { Raw: '1 bytes' },
  ObjectMeta: {
    name: '1 string',
    generateName: '2 string',
    namespace: '3 string',
    selfLink: '4 string',
    uid: '5 string',
    resourceVersion: '6 string',
    generation: '7 int64',
    creationTimestamp: '8 Time',
    deletionTimestamp: '9 Time',
    deletionGracePeriodSeconds: '10 int64?',
    labels: '11 %string',
    annotations: '12 %string',
    ownerReferences: '13 *OwnerReference',
    finalizers: '14 *string',
    managedFields: '17 *ManagedFieldsEntry',
  },
  OwnerReference: {
    kind: '1 string',
    name: '3 string',
    uid: '4 string',
    apiVersion: '5 string',
    controller: '6 bool?',
    blockOwnerDeletion: '7 bool?',
  },
  ManagedFieldsEntry: {
    manager: '1 string',
    operation: '2 string',
    apiVersion: '3 string',
    time: '4 Time',
    fieldsType: '6 string',
    fieldsV1: '7 FieldsV1',
    subresource: '8 string',
  },
  DeleteOptions: {
    gracePeriodSeconds: '1 int64?',
    preconditions: '2 Preconditions',
    orphanDependents: '3 bool?',
    propagationPolicy: '4 string?',
    dryRun: '5 *string',
    ignoreStoreReadErrorWithClusterBreakingPotential: '6 bool?',
  },
  Preconditions: { uid: '1 string?', resourceVersion: '2 string?' },
  Namespace: { metadata: '1 ObjectMeta', spec: '2 NamespaceSpec', status: '3 NamespaceStatus' },
  NamespaceSpec: { finalizers: '1 *string' },
  NamespaceStatus: { phase: '1 string', conditions: '2 *NamespaceCondition' },
  NamespaceCondition: {
    type: '1 string',
    status: '2 string',
    lastTransitionTime: '4 Time',
    reason: '5 string',
    message: '6 string',
  },
  ConfigMap: { metadata: '1 ObjectMeta', data: '2 %string', binaryData: '3 %bytes', immutable: '4 bool?' },
  Secret: {
    metadata: '1 ObjectMeta',
    data: '2 %bytes',
    type: '3 string',
    stringData: '4 %string',
    immutable: '5 bool?',
  },
  ServiceAccount: {
    metadata: '1 ObjectMeta',
    secrets: '2 *ObjectReference',
    imagePullSecrets: '3 *LocalObjectReference',
    automountServiceAccountToken: '4 bool?',
  },
  ObjectReference: {
    kind: '1 string',
    namespace: '2 string',
    name: '3 string',
    uid: '4 string',
    apiVersion: '5 string',
    resourceVersion: '6 string',
    fieldPath: '7 string',
  },
  LocalObjectReference: { name: '1 string' },
  Event: {
    metadata: '1 ObjectMeta',
    involvedObject: '2 ObjectReference',
    reason: '3 string',
    message: '4 string',
    source: '5 EventSource',
    firstTimestamp: '6 Time',
    lastTimestamp: '7 Time',
    count: '8 int32',
    type: '9 string',
    eventTime: '10 MicroTime',
    series: '11 EventSeries',
    action: '12 string',
    related: '13 ObjectReference',
    reportingComponent: '14 string',
    reportingInstance: '15 string',
  },
  EventSource: { component: '1 string', host: '2 string' },
  EventSeries: { count: '1 int32', lastObservedTime: '2 MicroTime' },
  TokenRequest: { metadata: '1 ObjectMeta', spec: '2 TokenRequestSpec', status: '3 TokenRequestStatus' },
  TokenRequestSpec: { audiences: '1 *string', boundObjectRef: '3 BoundObjectReference', expirationSeconds: '4 int64?' },
  TokenRequestStatus: { token: '1 string', expirationTimestamp: '2 Time' },
  BoundObjectReference: { kind: '1 string', apiVersion: '2 string', name: '3 string', uid: '4 string' },
  Lease: { metadata: '1 ObjectMeta', spec: '2 LeaseSpec' },
  LeaseSpec: {
    holderIdentity: '1 string?',
    leaseDurationSeconds: '2 int32?',
    acquireTime: '3 MicroTime',
    renewTime: '4 MicroTime',
    leaseTransitions: '5 int32?',
    strategy: '6 string?',
    preferredHolder: '7 string?',
  },
}

/** Kinds that may come as protobuf, by apiVersion and kind. */
const KINDS: Readonly<Record<string, string>> = {
  'v1/Namespace': 'Namespace',
  'v1/ConfigMap': 'ConfigMap',
  'v1/Secret': 'Secret',
  'v1/ServiceAccount': 'ServiceAccount',
  'v1/Event': 'Event',
  'coordination.k8s.io/v1/Lease': 'Lease',
  'authentication.k8s.io/v1/TokenRequest': 'TokenRequest',
}

/** The message of a kind; nothing for a kind that is read as JSON only. DeleteOptions are of every API group. */
export function messageOfKind(apiVersion: string, kind: string): string | undefined {
  return kind === 'DeleteOptions' ? kind : KINDS[`${apiVersion}/${kind}`]
}

/** Fields that Go holds by pointer: `Message.field`. */
export const POINTERS: ReadonlySet<string> = new Set(
  Object.entries(MESSAGES).flatMap(([message, fields]) =>
    Object.entries(fields).flatMap(([name, text]) => (text.endsWith('?') ? [`${message}.${name}`] : [])),
  ),
)

/** The messages as protobufjs takes them. */
export function reflection(): INamespace {
  const nested = Object.entries(MESSAGES).map(([message, fields]) => {
    const entries = Object.entries(fields).map(([name, text]) => [name, fieldOf(text)] as const)
    // Kubernetes' definitions are proto2: a zero that was sent is not the same as nothing.
    return [message, { edition: 'proto2', fields: Object.fromEntries(entries) }] as const
  })
  return { nested: Object.fromEntries(nested) }
}

function fieldOf(text: string) {
  const [id = '0', declared = ''] = text.replace('?', '').split(' ')
  const type = declared.replace(/^[*%]/, '')
  if (declared.startsWith('*')) return { id: Number(id), type, rule: 'repeated' }
  if (declared.startsWith('%')) return { id: Number(id), type, keyType: 'string' }
  return { id: Number(id), type }
}
