import { seconds } from '../../../platform/time/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import {
  finalizersOf,
  isDeleting,
  isJsonObject,
  objectAt,
  resourceVersionOf,
  textAt,
  timestamp,
  uidOf,
  withContent,
  withMetadata,
} from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { badRequest, conflict, forbidden, notFound } from '../../kube/status.ts'
import type { ApiContext, Change } from './context.ts'
import { gracePeriodIn, isFinished } from './finalizers.ts'
import { nextGeneration } from './generation.ts'
import { keyOf, resourceOf } from './registry.ts'
import { converted } from './versions.ts'

export type Propagation = 'Background' | 'Foreground' | 'Orphan'

/** metav1.DeleteOptions, as far as they count here. */
export interface RemoveOptions {
  /** Absent: as the finalizers of the object say, else `otherwise`. */
  readonly propagation?: Propagation
  /** Of objects that say nothing themselves; default `Background`. */
  readonly otherwise?: Propagation
  readonly uid: string
  readonly resourceVersion: string
  /** Of pods: time that their node has to end them; 0 lets them go at once. Default: what the pod says. */
  readonly gracePeriodSeconds?: number
}

export const FOREGROUND_FINALIZER = 'foregroundDeletion'
export const ORPHAN_FINALIZER = 'orphan'
export const CRD_RESOURCE = 'apiextensions.k8s.io/customresourcedefinitions'
export const CRD_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io'

const DEFAULT_GRACE_SECONDS = 30

/** Namespaces without which nothing works. */
const IMMORTAL: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public'])

/** The object as it was when it went, or as it is while finalizers hold it. */
export interface Removal {
  readonly object: ApiObject
  readonly isGone: boolean
}

/** `definition`: of jobs the pods stay where nobody says what becomes of them, as in the first version of their API. */
export function removeOptions(
  body: JsonObject,
  query: URLSearchParams,
  definition?: Change['definition'],
): RemoveOptions {
  const preconditions = objectAt(body, 'preconditions')
  const grace = Number(body['gracePeriodSeconds'] ?? query.get('gracePeriodSeconds') ?? Number.NaN)
  const propagation = propagationOf(body, query)
  return {
    ...(propagation === undefined ? {} : { propagation }),
    otherwise: definition && resourceOf(definition) === 'batch/jobs' ? 'Orphan' : 'Background',
    uid: textAt(preconditions, 'uid'),
    resourceVersion: textAt(preconditions, 'resourceVersion'),
    ...(Number.isInteger(grace) && grace >= 0 ? { gracePeriodSeconds: grace } : {}),
  }
}

/** Removes an object, or marks it for removal where finalizers hold it; durable when this resolves. Throws a Status. */
export async function removeObject(
  api: ApiContext,
  change: Change,
  name: string,
  options: RemoveOptions,
): Promise<Removal> {
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

function mark(api: ApiContext, { definition }: Change, before: ApiObject, options: RemoveOptions): ApiObject {
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
function withPolicy(object: ApiObject, { propagation, otherwise }: RemoveOptions): string[] {
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
function graceOf(object: ApiObject, { gracePeriodSeconds }: RemoveOptions): number {
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

function checkPreconditions({ definition }: Change, name: string, options: RemoveOptions, before: ApiObject): void {
  if (options.uid !== '' && options.uid !== uidOf(before)) {
    const why = `Precondition failed: UID in precondition: ${options.uid}, UID in object meta: ${uidOf(before)}`
    throw conflict(definition, name, why)
  }
  const version = resourceVersionOf(before)
  if (options.resourceVersion !== '' && options.resourceVersion !== version) {
    const why = `Precondition failed: ResourceVersion in precondition: ${options.resourceVersion}, ResourceVersion in object meta: ${version}`
    throw conflict(definition, name, why)
  }
}

function propagationOf(body: JsonObject, query: URLSearchParams): Propagation | undefined {
  const given = textAt(body, 'propagationPolicy') || (query.get('propagationPolicy') ?? '')
  if (given === 'Foreground' || given === 'Orphan' || given === 'Background') return given
  if (given !== '') {
    throw badRequest(
      `propagationPolicy: Unsupported value: "${given}": supported values: "Background", "Foreground", "Orphan"`,
    )
  }
  const orphans = body['orphanDependents'] ?? query.get('orphanDependents')
  if (orphans === undefined || orphans === null) return undefined
  return orphans === true || orphans === 'true' ? 'Orphan' : 'Background'
}

/** Body of a DELETE that is no DeleteOptions. */
export function isRemoveOptions(value: unknown): value is JsonObject {
  return isJsonObject(value) && (value['kind'] === undefined || value['kind'] === 'DeleteOptions')
}
