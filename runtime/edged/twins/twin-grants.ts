import type { Waiting } from '../pod/obstacle.ts'
import type { Pod } from '../pod/pod.ts'

/** Twins that a pod may use, as `<namespace>/<name>`; a name may end in `*`. */
export interface TwinGrants {
  /** Hears and asks. */
  readonly read: readonly string[]
  /** Also sets desired values and calls methods. */
  readonly write: readonly string[]
}

/** What pods of a namespace may use of other namespaces, as the operator of this node says. */
export interface SharedTwins {
  /** Of the pods; may end in `*`. */
  readonly namespace: string
  /** `<namespace>/<name>`; both may end in `*`. */
  readonly twins: readonly string[]
  readonly access: 'read' | 'write'
}

const TWINS_PREFIX = 'twins.skerry.io/'
const READ_TWINS = `${TWINS_PREFIX}read`
const WRITE_TWINS = `${TWINS_PREFIX}write`

/** Of one pod; who needs more names them by patterns. */
const MOST_TWINS = 256

/**
 * The twins that the annotations of a pod name: those of its own namespace, and what is shared with it. Without `grants` it
 * has no such annotation and gets no access; what cannot be granted is refused as a whole, never in part.
 */
export function twinGrants(
  pod: Pick<Pod, 'namespace' | 'annotations'>,
  shared: readonly SharedTwins[] = [],
): { readonly grants?: TwinGrants } | { readonly refusal: Waiting } {
  const keys = Object.keys(pod.annotations).filter((key) => key.startsWith(TWINS_PREFIX))
  if (keys.length === 0) return {}
  const unknown = keys.find((key) => key !== READ_TWINS && key !== WRITE_TWINS)
  if (unknown !== undefined) return refuse(`annotation ${unknown} is not known: use ${READ_TWINS} or ${WRITE_TWINS}`)
  const read = namesIn(pod, READ_TWINS)
  const write = namesIn(pod, WRITE_TWINS)
  if (read.length + write.length > MOST_TWINS)
    return refuse(`annotations name more than ${MOST_TWINS} twins: use patterns`)
  for (const [key, names] of [[READ_TWINS, read] as const, [WRITE_TWINS, write] as const]) {
    if (names.length === 0 && key in pod.annotations) return refuse(`annotation ${key} names no twin`)
    for (const name of names) {
      const reason = reject(name) ?? rejectForeign(pod.namespace, name, key === WRITE_TWINS, shared)
      if (reason !== undefined) return refuse(`annotation ${key}: "${name}" ${reason}`)
    }
  }
  return { grants: { read: read.filter((name) => !write.includes(name)), write } }
}

/** A name alone is of the pod's own namespace. */
function namesIn({ namespace, annotations }: Pick<Pod, 'namespace' | 'annotations'>, key: string): readonly string[] {
  const names = (annotations[key] ?? '').split(',').map((name) => name.trim())
  const whole = names.filter((name) => name !== '').map((name) => (name.includes('/') ? name : `${namespace}/${name}`))
  return [...new Set(whole)]
}

const NAMESPACE = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const NAME = /^(\*|[a-z0-9][-a-z0-9.]*\*|[a-z0-9]([-a-z0-9.]*[a-z0-9])?)$/

function reject(twin: string): string | undefined {
  const [namespace = '', name = '', ...rest] = twin.split('/')
  if (rest.length > 0 || !NAMESPACE.test(namespace)) return 'is not NAMESPACE/DEVICE: one namespace, written out'
  return NAME.test(name) && name.length <= 253 ? undefined : 'is not NAMESPACE/DEVICE: a name, which may end in *'
}

function rejectForeign(
  own: string,
  twin: string,
  isWrite: boolean,
  shared: readonly SharedTwins[],
): string | undefined {
  if (twin.startsWith(`${own}/`)) return undefined
  const forPod = shared.filter(({ namespace }) => covers(namespace, own))
  const open = forPod.filter(({ access }) => !isWrite || access === 'write').flatMap(({ twins }) => twins)
  if (open.some((pattern) => coversTwin(pattern, twin))) return undefined
  return `is of another namespace than the pod, and this node does not share it for ${isWrite ? 'writing' : 'reading'}: see edged.twins.shared`
}

function coversTwin(pattern: string, twin: string): boolean {
  const [namespace = '', name = ''] = pattern.split('/')
  const [wantedNamespace = '', wantedName = ''] = twin.split('/')
  return covers(namespace, wantedNamespace) && covers(name, wantedName)
}

/** Whether all that `wanted` stands for, a name or a pattern, is under `pattern`. */
function covers(pattern: string, wanted: string): boolean {
  return pattern.endsWith('*') ? wanted.startsWith(pattern.slice(0, -1)) : wanted === pattern
}

function refuse(message: string): { readonly refusal: Waiting } {
  return { refusal: { reason: 'InvalidTwinAccess', message } }
}
