import {
  DEVICE_GROUP,
  DEVICE_VERSION,
  type Device,
  type DeviceModel,
  type DeviceStatus,
  isRule,
  isRuleEndpoint,
  type JsonObject,
  type KubeObject,
  type Rule,
  type RuleEndpoint,
} from '../../../schemas/index.ts'
import { isRecord } from './guards.ts'
import type { ResourceType } from './kubernetes.ts'

export interface Secret extends KubeObject {
  /** Values are base64. */
  readonly data?: Readonly<Record<string, string>>
}

/** KubeEdge's record of what a node has acknowledged. */
export interface ObjectSync extends KubeObject {
  readonly spec?: { readonly objectAPIVersion?: string; readonly objectKind?: string; readonly objectName?: string }
  readonly status?: { readonly objectResourceVersion?: string }
}

export type AnyObject = KubeObject & { readonly spec?: JsonObject; readonly status?: JsonObject }

const device = { group: DEVICE_GROUP, version: DEVICE_VERSION, namespaced: true } as const

export const DEVICES: ResourceType<Device> = {
  ...device,
  plural: 'devices',
  kind: 'Device',
  accepts: (object): object is Device => hasNamedProperties(object),
}

export const DEVICE_MODELS: ResourceType<DeviceModel> = {
  ...device,
  plural: 'devicemodels',
  kind: 'DeviceModel',
  accepts: (object): object is DeviceModel => hasNamedProperties(object),
}

export const DEVICE_STATUSES: ResourceType<DeviceStatus> = {
  ...device,
  plural: 'devicestatuses',
  kind: 'DeviceStatus',
  accepts: (object): object is DeviceStatus => hasTwins(object),
}

export const OBJECT_SYNCS: ResourceType<ObjectSync> = {
  group: 'reliablesyncs.kubeedge.io',
  version: 'v1alpha1',
  plural: 'objectsyncs',
  kind: 'ObjectSync',
  namespaced: true,
  accepts: (object): object is ObjectSync => hasRecords(object, ['spec', 'status']),
}

/** The same for cluster-scoped objects. */
export const CLUSTER_OBJECT_SYNCS: ResourceType<ObjectSync> = {
  ...OBJECT_SYNCS,
  plural: 'clusterobjectsyncs',
  kind: 'ClusterObjectSync',
  namespaced: false,
}

export const SECRETS: ResourceType<Secret> = {
  group: '',
  version: 'v1',
  plural: 'secrets',
  kind: 'Secret',
  namespaced: true,
  accepts: (object): object is Secret => hasRecords(object, ['data']),
}

export const NAMESPACES = plain('', 'v1', 'namespaces', 'Namespace', false)
export const NODES = plain('', 'v1', 'nodes', 'Node', false)
export const EVENTS = plain('', 'v1', 'events', 'Event', true)
export const LEASES = plain('coordination.k8s.io', 'v1', 'leases', 'Lease', true)
export const PODS = plain('', 'v1', 'pods', 'Pod', true)
export const CONFIG_MAPS = plain('', 'v1', 'configmaps', 'ConfigMap', true)
export const SERVICES = plain('', 'v1', 'services', 'Service', true)
export const ENDPOINTS = plain('', 'v1', 'endpoints', 'Endpoints', true)
export const ENDPOINT_SLICES = plain('discovery.k8s.io', 'v1', 'endpointslices', 'EndpointSlice', true)
export const SERVICE_ACCOUNTS = plain('', 'v1', 'serviceaccounts', 'ServiceAccount', true)
export const CERTIFICATE_REQUESTS = plain(
  'certificates.k8s.io',
  'v1',
  'certificatesigningrequests',
  'CertificateSigningRequest',
  false,
)
export const ROLES = plain('rbac.authorization.k8s.io', 'v1', 'roles', 'Role', true)
export const CLUSTER_ROLES = plain('rbac.authorization.k8s.io', 'v1', 'clusterroles', 'ClusterRole', false)
export const ROLE_BINDINGS = plain('rbac.authorization.k8s.io', 'v1', 'rolebindings', 'RoleBinding', true)
export const CLUSTER_ROLE_BINDINGS = plain(
  'rbac.authorization.k8s.io',
  'v1',
  'clusterrolebindings',
  'ClusterRoleBinding',
  false,
)
export const TOKEN_REVIEWS = plain('authentication.k8s.io', 'v1', 'tokenreviews', 'TokenReview', false)
export const ACCESS_REVIEWS = plain('authorization.k8s.io', 'v1', 'subjectaccessreviews', 'SubjectAccessReview', false)
export const PERSISTENT_VOLUMES = plain('', 'v1', 'persistentvolumes', 'PersistentVolume', false)
export const PERSISTENT_VOLUME_CLAIMS = plain('', 'v1', 'persistentvolumeclaims', 'PersistentVolumeClaim', true)
export const VOLUME_ATTACHMENTS = plain('storage.k8s.io', 'v1', 'volumeattachments', 'VolumeAttachment', false)
export const RULES: ResourceType<Rule> = {
  ...plain('rules.kubeedge.io', 'v1', 'rules', 'Rule', true),
  accepts: (object): object is Rule => isRule(object),
}
export const RULE_ENDPOINTS: ResourceType<RuleEndpoint> = {
  ...plain('rules.kubeedge.io', 'v1', 'ruleendpoints', 'RuleEndpoint', true),
  accepts: (object): object is RuleEndpoint => isRuleEndpoint(object),
}
export const CUSTOM_RESOURCE_DEFINITIONS = plain(
  'apiextensions.k8s.io',
  'v1',
  'customresourcedefinitions',
  'CustomResourceDefinition',
  false,
)
export const MUTATING_WEBHOOKS = plain(
  'admissionregistration.k8s.io',
  'v1',
  'mutatingwebhookconfigurations',
  'MutatingWebhookConfiguration',
  false,
)
export const VALIDATING_WEBHOOKS = plain(
  'admissionregistration.k8s.io',
  'v1',
  'validatingwebhookconfigurations',
  'ValidatingWebhookConfiguration',
  false,
)

function plain(
  group: string,
  version: string,
  plural: string,
  kind: string,
  namespaced: boolean,
): ResourceType<AnyObject> {
  return {
    group,
    version,
    plural,
    kind,
    namespaced,
    accepts: (object): object is AnyObject => hasRecords(object, ['spec', 'status']),
  }
}

function hasRecords(object: KubeObject, names: readonly string[]): boolean {
  return names.every((name) => {
    const value: unknown = Reflect.get(object, name)
    return value === undefined || value === null || isRecord(value)
  })
}

function hasNamedProperties(object: KubeObject): boolean {
  const spec: unknown = Reflect.get(object, 'spec')
  if (!isRecord(spec)) return false
  const properties = spec['properties']
  if (properties === undefined) return true
  if (!Array.isArray(properties)) return false
  return properties.every((property: unknown) => isRecord(property) && typeof property['name'] === 'string')
}

function hasTwins(object: KubeObject): boolean {
  const status: unknown = Reflect.get(object, 'status')
  if (status === undefined || status === null) return true
  if (!isRecord(status)) return false
  const twins = status['twins']
  if (twins === undefined || twins === null) return true
  if (!Array.isArray(twins)) return false
  return twins.every((twin: unknown) => isRecord(twin) && typeof twin['propertyName'] === 'string')
}
