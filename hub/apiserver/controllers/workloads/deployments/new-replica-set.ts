import type { Json, JsonObject } from '../../../../../schemas/index.ts'
import {
  arrayAt,
  nameOf,
  namespaceOf,
  objectAt,
  sameJson,
  timestamp,
  withContent,
  withMetadata,
} from '../../../../kube/object/index.ts'
import type { ApiObject } from '../../../../kube/resource.ts'
import { StatusError, unavailable } from '../../../../kube/status.ts'
import { keyOf } from '../../../../serving/objects/registry.ts'
import { create, edit } from '../../changes.ts'
import { tellEvent } from '../../events.ts'
import { findCondition } from '../conditions.ts'
import { numberAt, withoutZeros } from '../figures.ts'
import { isEndingNamespace, type Work } from '../making.ts'
import { controllerReference, isControlledBy } from '../owners.ts'
import { REPLICA_SETS } from '../replica-sets.ts'
import { templateHash } from '../templates.ts'
import { goalOf, newSize, sizedOf } from './plan.ts'
import {
  DESIRED,
  findNew,
  HASH_LABEL,
  isSameTemplate,
  MOST,
  REVISION,
  revisionAnnotations,
  revisionOf,
  templateOf,
  withLabel,
} from './revisions.ts'
import { condition, hasDeadline } from './status.ts'

export const DEPLOYMENTS = 'apps/deployments'

/**
 * The ReplicaSet that makes the pods which a Deployment asks for now, with the highest revision of all; where there is none it
 * is made, if `isMaking`.
 */
export async function newReplicaSet(
  work: Work,
  deployment: ApiObject,
  sets: readonly ApiObject[],
  isMaking: boolean,
): Promise<ApiObject | undefined> {
  const found = findNew(deployment, sets)
  const others = sets.filter((set) => set !== found && !isSameTemplate(templateOf(set), templateOf(deployment)))
  const revision = Math.max(0, ...others.map(revisionOf)) + 1
  if (found) return await takeUp(work, deployment, found, revision)
  return isMaking ? await make(work, deployment, sets, revision) : undefined
}

async function takeUp(work: Work, deployment: ApiObject, set: ApiObject, revision: number): Promise<ApiObject> {
  const { api, signal } = work
  const annotations = revisionAnnotations(deployment, set, revision)
  const minReadySeconds = numberAt(objectAt(deployment, 'spec'), 'minReadySeconds')
  const isSame =
    sameJson(annotations, objectAt(set.metadata, 'annotations')) &&
    minReadySeconds === numberAt(objectAt(set, 'spec'), 'minReadySeconds')
  if (!isSame) {
    const propose = (current: ApiObject) =>
      withContent(withMetadata(current, { annotations: revisionAnnotations(deployment, current, revision) }), {
        spec: { ...objectAt(current, 'spec'), ...(minReadySeconds === 0 ? {} : { minReadySeconds }) },
      })
    await edit(api, REPLICA_SETS, set, '', propose, signal)
  }
  const now = api.store.get(REPLICA_SETS, keyOf(namespaceOf(set), nameOf(set))) ?? set
  const story = { reason: 'FoundNewReplicaSet', message: `Found new replica set ${JSON.stringify(nameOf(set))}` }
  const conditions = arrayAt(objectAt(deployment, 'status'), 'conditions')
  await tellProgress(work, deployment, revisionOf(now), findCondition(conditions, 'Progressing') ? undefined : story)
  return now
}

async function make(
  work: Work,
  deployment: ApiObject,
  sets: readonly ApiObject[],
  revision: number,
): Promise<ApiObject | undefined> {
  const { api, component, signal } = work
  const wanted = replicaSetOf(deployment, sets, revision)
  const name = nameOf(wanted)
  try {
    const made = await create(api, REPLICA_SETS, wanted, signal)
    const size = numberAt(objectAt(wanted, 'spec'), 'replicas')
    if (size > 0) {
      const message = `Scaled up replica set ${name} from 0 to ${size}`
      await tellEvent(api, component, deployment, { type: 'Normal', reason: 'ScalingReplicaSet', message }, signal)
    }
    const message = `Created new replica set ${JSON.stringify(name)}`
    await tellProgress(work, deployment, revision, { reason: 'NewReplicaSetCreated', message })
    return made
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    if (isEndingNamespace(error)) return undefined
    if (error.status.reason === 'AlreadyExists') return await giveWay(work, deployment, name, error)
    await tellFailure(work, deployment, name, error)
    throw error
  }
}

/** Another ReplicaSet has that name: it is the same, which a moment ago was not seen, or the next name is tried. */
async function giveWay(work: Work, deployment: ApiObject, name: string, error: StatusError): Promise<ApiObject> {
  const { api, signal } = work
  const other = api.store.get(REPLICA_SETS, keyOf(namespaceOf(deployment), name))
  const isOurs = other && isControlledBy(other, deployment)
  if (other && isOurs && isSameTemplate(templateOf(other), templateOf(deployment))) return other
  const propose = (current: ApiObject) => {
    const status = objectAt(current, 'status')
    return withContent(current, { status: { ...status, collisionCount: numberAt(status, 'collisionCount') + 1 } })
  }
  await edit(api, DEPLOYMENTS, deployment, 'status', propose, signal)
  throw unavailable(`the name of the new replica set ${name} is taken`, error)
}

function replicaSetOf(deployment: ApiObject, sets: readonly ApiObject[], revision: number): ApiObject {
  const spec = objectAt(deployment, 'spec')
  const template = templateOf(deployment)
  const hash = templateHash(template, numberAt(objectAt(deployment, 'status'), 'collisionCount'))
  const labelled = withLabel(template, hash)
  const selector = objectAt(spec, 'selector')
  const goal = goalOf(deployment)
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${nameOf(deployment)}-${hash}`,
      namespace: namespaceOf(deployment),
      labels: objectAt(objectAt(labelled, 'metadata'), 'labels'),
      annotations: {
        ...revisionAnnotations(deployment, undefined, revision),
        [DESIRED]: String(goal.replicas),
        [MOST]: String(goal.replicas + goal.surge),
      },
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas: newSize(goal, sets.map(sizedOf), { size: 0 }),
      ...withoutZeros({ minReadySeconds: numberAt(spec, 'minReadySeconds') }),
      selector: { ...selector, matchLabels: { ...objectAt(selector, 'matchLabels'), [HASH_LABEL]: hash } },
      template: labelled,
    },
  }
}

/** The revision of the Deployment is that of its newest ReplicaSet. */
async function tellProgress(
  { api, signal }: Work,
  deployment: ApiObject,
  revision: number,
  story: { readonly reason: string; readonly message: string } | undefined,
): Promise<void> {
  const now = timestamp(api.clock.now())
  const annotate = (current: ApiObject) =>
    withMetadata(current, {
      annotations: { ...objectAt(current.metadata, 'annotations'), [REVISION]: String(revision) },
    })
  if (revisionOf(deployment) !== revision) await edit(api, DEPLOYMENTS, deployment, '', annotate, signal)
  if (!story || !hasDeadline(deployment)) return
  const progressing = { type: 'Progressing', status: 'True', ...story } as const
  await edit(api, DEPLOYMENTS, deployment, 'status', (current) => withConditions(current, progressing, now), signal)
}

async function tellFailure({ api, signal }: Work, deployment: ApiObject, name: string, error: Error): Promise<void> {
  const message = `Failed to create new replica set ${JSON.stringify(name)}: ${error.message}`
  const failed = { type: 'Progressing', status: 'False', reason: 'FailedCreate', message } as const
  const now = timestamp(api.clock.now())
  await edit(api, DEPLOYMENTS, deployment, 'status', (current) => withConditions(current, failed, now), signal)
}

function withConditions(current: ApiObject, given: Parameters<typeof condition>[1], now: string): ApiObject {
  const status: JsonObject = objectAt(current, 'status')
  const conditions: readonly Json[] = condition(arrayAt(status, 'conditions'), given, now)
  return withContent(current, { status: { ...status, conditions } })
}
