import { seconds } from '../../../platform/time/index.ts'
import {
  finalizersOf,
  isDeleting,
  objectAt,
  resourceVersionOf,
  textAt,
  timestamp,
  uidOf,
  withContent,
  withMetadata,
} from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { conflict, forbidden, notFound } from '../../kube/status.ts'
import { keyOf, resourceOf } from '../../serving/objects/registry.ts'
import { converted } from '../../serving/reading/versions.ts'
import type { ApiContext, Change } from './context.ts'
import { gracePeriodIn, isFinished } from './finalizers.ts'
import { nextGeneration } from './generation.ts'
import type { RemoveOptions } from './remove-options.ts'

export const FOREGROUND_FINALIZER = 'foregroundDeletion'
export const ORPHAN_FINALIZER = 'orphan'
export const CRD_RESOURCE = 'apiextensions.k8s.io/customresourcedefinitions'
export const CRD_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io'

const DEFAULT_GRACE_SECONDS = 30

/** Namespaces without which nothing works. */
const IMMORTAL: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public'])

/** What a removal asks for; that it is a dry run says the change. */
export type Removing = Omit<RemoveOptions, 'dryRun'>

/** The object as it was when it went, or as it is while finalizers hold it. */
export interface Removal {
  readonly object: ApiObject
  readonly isGone: boolean
}

/** Removes an object, or marks it for removal where finalizers hold it; durable when this resolves. Throws a Status. */
export async function removeObject(api: ApiContext, change: Change, name: string, options: Removing): Promise<Removal> {
  const { definition, namespace } = change
  const resource = resourceOf(definition)
  if (resource === '/namespaces' && IMMORTAL.has(name)) {
    throw forbidden(definition, name, 'this namespace may not be deleted')
  }
  let removal: Removal | undefined
  await api.store.change(resource, keyOf(namespace, name), async (current) => {
    if (!current) throw notFound(definition, name)
    change.signal.throwIfAborted()
    const before = await converted(api, current, definition, change.signal)
    checkPreconditions(change, name, options, before)
    await api.admitter.validate(
      {
        operation: 'DELETE',
        definition,
        subresource: '',
        namespace,
        name,
        object: undefined,
        before,
        dryRun: change.dryRun,
        user: change.user,
      },
      change.warn,
      change.signal,
    )
    // Only metadata changes: the object as it is stored needs no way there and back.
    const marked = mark(api, change, current, options)
    const isGone = isFinished(marked)
    const isShown = isGone || marked === current
    removal = { object: isShown ? before : await converted(api, marked, definition, change.signal), isGone }
    if (change.dryRun) return current
    return isGone ? undefined : marked
  })
  if (!removal) throw notFound(definition, name)
  const now = removal.isGone ? undefined : api.store.get(resource, keyOf(namespace, name))
  if (!now || change.dryRun) return removal
  return { ...removal, object: await converted(api, now, definition, change.signal) }
}

function mark(api: ApiContext, { definition }: Change, before: ApiObject, options: Removing): ApiObject {
  const finalizers = withPolicy(before, options)
  // Its objects go first, unless it is a second request for the same.
  if (resourceOf(definition) === CRD_RESOURCE && !isDeleting(before)) finalizers.push(CRD_FINALIZER)
  const wanted = [...new Set(finalizers)]
  const grace = graceOf(before, options)
  const isSooner = grace < gracePeriodIn(before)
  if (isDeleting(before) && !isSooner && hasSameItems(wanted, finalizersOf(before))) return before
  const end = timestamp(api.clock.now() + seconds(grace).milliseconds)
  const marked = withMetadata(before, {
    finalizers: wanted.length === 0 ? undefined : wanted,
    ...(isDeleting(before) && !isSooner ? {} : { deletionTimestamp: end, deletionGracePeriodSeconds: grace }),
  })
  const object = resourceOf(definition) === '/namespaces' ? terminating(marked) : marked
  const generation = nextGeneration(definition, object, before)
  return withMetadata(object, {
    generation: generation !== undefined && !isDeleting(before) && definition.custom ? generation + 1 : generation,
  })
}

/** Its finalizers, with the one that this request asks for in the place of what was asked before. */
function withPolicy(object: ApiObject, { propagation, otherwise }: Removing): string[] {
  const present = finalizersOf(object)
  const others = present.filter((each) => each !== FOREGROUND_FINALIZER && each !== ORPHAN_FINALIZER)
  const isSaid = others.length < present.length
  if (propagation === undefined && isSaid) return [...present]
  const policy = propagation ?? otherwise
  if (policy === 'Foreground') others.push(FOREGROUND_FINALIZER)
  if (policy === 'Orphan') others.push(ORPHAN_FINALIZER)
  return others
}

function hasSameItems(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((each) => other.includes(each))
}

/** Seconds. A pod that a node may be running goes when its node says that it has ended; everything else goes at once. */
function graceOf(object: ApiObject, { gracePeriodSeconds }: Removing): number {
  const spec = objectAt(object, 'spec')
  if (object.apiVersion !== 'v1' || object.kind !== 'Pod' || textAt(spec, 'nodeName') === '') return 0
  const phase = textAt(objectAt(object, 'status'), 'phase')
  if (phase === 'Succeeded' || phase === 'Failed') return 0
  const own = spec['terminationGracePeriodSeconds']
  return gracePeriodSeconds ?? (typeof own === 'number' && own >= 0 ? own : DEFAULT_GRACE_SECONDS)
}

function terminating(namespace: ApiObject): ApiObject {
  return withContent(namespace, { status: { ...objectAt(namespace, 'status'), phase: 'Terminating' } })
}

function checkPreconditions({ definition }: Change, name: string, options: Removing, before: ApiObject): void {
  // Upstream names the kind here, where it names the resource elsewhere.
  const kind = { ...definition, plural: definition.kind }
  if (options.uid !== '' && options.uid !== uidOf(before)) {
    const why = `the UID in the precondition (${options.uid}) does not match the UID in record (${uidOf(before)}). The object might have been deleted and then recreated`
    throw conflict(kind, name, why)
  }
  const version = resourceVersionOf(before)
  if (options.resourceVersion !== '' && options.resourceVersion !== version) {
    const why = `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${version}). The object might have been modified`
    throw conflict(kind, name, why)
  }
}
