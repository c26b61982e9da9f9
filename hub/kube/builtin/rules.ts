import { CERTIFICATE_REQUEST_RULES } from '../certificates/kind-rules.ts'
import { prepareCrd } from '../crd/lifecycle.ts'
import { validateCrd } from '../crd/validate-crd.ts'
import { ACCESS_RULES } from '../rbac/kind-rules.ts'
import type { ApiObject, ResourceDefinition } from '../resource.ts'
import type { FieldError } from '../schema/field-error.ts'
import { CONFIG_MAP_RULES, SECRET_RULES } from './data-kinds.ts'
import { ENDPOINT_SLICE_RULES } from './endpoint-slices.ts'
import { ENDPOINTS_RULES } from './endpoints.ts'
import { CORE_EVENT_RULES, EVENT_RULES } from './events.ts'
import type { KindRules } from './kind-rules.ts'
import { LEASE_RULES } from './leases.ts'
import { NAMESPACE_RULES } from './namespaces.ts'
import { NETWORK_POLICY_RULES } from './network-policies.ts'
import { defaultPod, qosClass, withPriority } from './pod-defaults.ts'
import { podErrors } from './pod-rules.ts'
import { SERVICE_RULES } from './services.ts'
import { webhookRules } from './webhook-kinds.ts'
import { CONTROLLER_REVISION_RULES } from './workloads/controller-revisions.ts'
import { DAEMON_SET_RULES } from './workloads/daemon-sets.ts'
import { DEPLOYMENT_RULES } from './workloads/deployments.ts'
import { DISRUPTION_BUDGET_RULES } from './workloads/disruption-budgets.ts'
import { JOB_RULES } from './workloads/jobs.ts'
import { REPLICA_SET_RULES } from './workloads/replica-sets.ts'

type Kind = Pick<ResourceDefinition, 'group' | 'kind'>

const NONE: KindRules = {}

/** By `group/Kind`. */
const RULES: Readonly<Record<string, KindRules>> = {
  '/Namespace': NAMESPACE_RULES,
  '/Pod': {
    defaults: defaultPod,
    onCreate: (pod) => ({ ...withPriority(pod), status: { phase: 'Pending', qosClass: qosClass(pod) } }),
    // One that was stored before a default came has it in effect.
    validate: (pod, old) => (old ? podErrors(defaultPod(pod), defaultPod(old)) : podErrors(pod, old)),
  },
  '/ConfigMap': CONFIG_MAP_RULES,
  '/Secret': SECRET_RULES,
  '/Event': CORE_EVENT_RULES,
  'events.k8s.io/Event': EVENT_RULES,
  '/Service': SERVICE_RULES,
  '/Endpoints': ENDPOINTS_RULES,
  'discovery.k8s.io/EndpointSlice': ENDPOINT_SLICE_RULES,
  'networking.k8s.io/NetworkPolicy': NETWORK_POLICY_RULES,
  'coordination.k8s.io/Lease': LEASE_RULES,
  'apps/Deployment': DEPLOYMENT_RULES,
  'apps/ReplicaSet': REPLICA_SET_RULES,
  'apps/DaemonSet': DAEMON_SET_RULES,
  'apps/ControllerRevision': CONTROLLER_REVISION_RULES,
  'batch/Job': JOB_RULES,
  'policy/PodDisruptionBudget': DISRUPTION_BUDGET_RULES,
  ...ACCESS_RULES,
  'certificates.k8s.io/CertificateSigningRequest': CERTIFICATE_REQUEST_RULES,
  'apiextensions.k8s.io/CustomResourceDefinition': {
    defaults: prepareCrd,
    onCreate: (crd) => prepareCrd(withoutStatus(crd)),
    validate: validateCrd,
  },
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': webhookRules('ValidatingWebhookConfiguration'),
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': webhookRules('MutatingWebhookConfiguration'),
}

/**
 * A new object of a built-in kind as Kubernetes stores it: defaults filled in, what only the server says reset.
 * Its name must be known (not still to be generated), as the label of a Namespace repeats it.
 */
export function prepareForCreate(kind: Kind, object: ApiObject): ApiObject {
  const rules = rulesOf(kind)
  const full = rules.defaults?.(object) ?? object
  return rules.onCreate?.(full) ?? full
}

/** With what Kubernetes fills in as soon as it reads the object; its author comes to own that. */
export function withKindDefaults(kind: Kind, object: ApiObject): ApiObject {
  return rulesOf(kind).defaults?.(object) ?? object
}

/** A changed object as Kubernetes stores it. What must not change is refused by validateBuiltin. */
export function prepareForUpdate(kind: Kind, object: ApiObject, old: ApiObject): ApiObject {
  const rules = rulesOf(kind)
  const full = rules.defaults?.(object) ?? object
  return rules.onUpdate?.(full, old) ?? full
}

/** The stored object with the part of a change that a subresource may write; nothing where the kind has no rule for that. */
export function prepareForPart(kind: Kind, part: string, object: ApiObject, old: ApiObject): ApiObject | undefined {
  return rulesOf(kind).parts?.[part]?.(object, old)
}

/**
 * Rules of a built-in kind that its schema cannot say (run validateObject too). `old` is the stored object of an update:
 * what is immutable must equal it.
 */
export function validateBuiltin(kind: Kind, object: ApiObject, old?: ApiObject): readonly FieldError[] {
  return rulesOf(kind).validate?.(object, old) ?? []
}

function rulesOf({ group, kind }: Kind): KindRules {
  return RULES[`${group}/${kind}`] ?? NONE
}

function withoutStatus({ status: _ignored, ...rest }: ApiObject): ApiObject {
  const { apiVersion, kind, metadata } = rest
  return { ...rest, apiVersion, kind, metadata }
}
