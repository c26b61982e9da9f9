import type { INamespace } from 'protobufjs'
import { ACCESS_MESSAGES } from './messages/access.ts'
import { CONTAINERS_MESSAGES } from './messages/containers.ts'
import { CORE_MESSAGES } from './messages/core.ts'
import { EXTENSION_MESSAGES } from './messages/extension.ts'
import { META_MESSAGES } from './messages/meta.ts'
import { NETWORK_MESSAGES } from './messages/network.ts'
import { PODS_MESSAGES } from './messages/pods.ts'
import { VOLUMES_MESSAGES } from './messages/volumes.ts'

/**
 * Fields of each message, `name:number:type`. Before the type: `*` a list, `%` a map from text, `^` a message whose fields JSON
 * shows as those of the one around it; after it `?` where Go holds a pointer, so that zero is not the same as absent.
 */
const MESSAGES: Readonly<Record<string, string>> = {
  ...META_MESSAGES,
  ...CORE_MESSAGES,
  ...VOLUMES_MESSAGES,
  ...CONTAINERS_MESSAGES,
  ...PODS_MESSAGES,
  ...NETWORK_MESSAGES,
  ...ACCESS_MESSAGES,
  ...EXTENSION_MESSAGES,
}

/** Kinds that may come as protobuf, by apiVersion; a message of another name stands behind `=`. */
const KINDS: Readonly<Record<string, string>> = {
  v1: 'Namespace ConfigMap Secret ServiceAccount Event Node Pod Service Endpoints Binding',
  'apps/v1': 'Deployment ReplicaSet DaemonSet ControllerRevision',
  'autoscaling/v1': 'Scale',
  'batch/v1': 'Job',
  'policy/v1': 'PodDisruptionBudget Eviction',
  'networking.k8s.io/v1': 'NetworkPolicy',
  'discovery.k8s.io/v1': 'EndpointSlice',
  'coordination.k8s.io/v1': 'Lease',
  'events.k8s.io/v1': 'Event=EventsEvent',
  'rbac.authorization.k8s.io/v1': 'Role RoleBinding ClusterRole ClusterRoleBinding',
  'certificates.k8s.io/v1': 'CertificateSigningRequest',
  'authentication.k8s.io/v1': 'TokenRequest TokenReview SelfSubjectReview',
  'authorization.k8s.io/v1':
    'SubjectAccessReview LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview',
  'admissionregistration.k8s.io/v1': 'ValidatingWebhookConfiguration MutatingWebhookConfiguration',
}

const messages = new Map(
  Object.entries(KINDS).flatMap(([apiVersion, kinds]) =>
    kinds.split(' ').map((named): readonly [string, string] => {
      const [kind = '', message = kind] = named.split('=')
      return [`${apiVersion}/${kind}`, message]
    }),
  ),
)

interface Declared {
  readonly name: string
  readonly id: number
  readonly form: 'single' | 'list' | 'map'
  readonly isInline: boolean
  readonly isPointer: boolean
  readonly type: string
}

/** The message of a kind; nothing for a kind that is read as JSON only. DeleteOptions are of every API group. */
export function messageOfKind(apiVersion: string, kind: string): string | undefined {
  return kind === 'DeleteOptions' ? kind : messages.get(`${apiVersion}/${kind}`)
}

/** Fields that Go holds by pointer: `Message.field`. */
export const POINTERS: ReadonlySet<string> = fieldsThat(({ isPointer }) => isPointer)

/** Fields that stand in JSON as if their own fields were those of the message around them: `Message.field`. */
export const INLINE: ReadonlySet<string> = fieldsThat(({ isInline }) => isInline)

/** The messages as protobufjs takes them. */
export function reflection(): INamespace {
  const nested = Object.entries(MESSAGES).map(([message, text]) => {
    const entries = declaredIn(text).map((field) => [field.name, fieldOf(field)] as const)
    // Kubernetes' definitions are proto2: a zero that was sent is not the same as nothing.
    return [message, { edition: 'proto2', fields: Object.fromEntries(entries) }] as const
  })
  return { nested: Object.fromEntries(nested) }
}

function fieldsThat(test: (field: Declared) => boolean): ReadonlySet<string> {
  const names = Object.entries(MESSAGES).flatMap(([message, text]) =>
    declaredIn(text)
      .filter(test)
      .map(({ name }) => `${message}.${name}`),
  )
  return new Set(names)
}

function declaredIn(text: string): readonly Declared[] {
  return text
    .split(' ')
    .filter((each) => each !== '')
    .map((each) => {
      const [name = '', id = '0', declared = ''] = each.split(':')
      const form = declared.startsWith('*') ? 'list' : declared.startsWith('%') ? 'map' : 'single'
      const type = declared.replaceAll(/[*%^?]/g, '')
      return { name, id: Number(id), form, isInline: declared.startsWith('^'), isPointer: declared.endsWith('?'), type }
    })
}

function fieldOf({ id, form, type }: Declared) {
  if (form === 'list') return { id, type, rule: 'repeated' }
  return form === 'map' ? { id, type, keyType: 'string' } : { id, type }
}
