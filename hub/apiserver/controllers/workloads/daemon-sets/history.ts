import type { JsonObject } from '../../../../../schemas/index.ts'
import {
  labelsOf,
  nameOf,
  namespaceOf,
  objectAt,
  uidOf,
  withContent,
  withFields,
} from '../../../../kube/object/index.ts'
import type { ApiObject } from '../../../../kube/resource.ts'
import { StatusError } from '../../../../kube/status.ts'
import { create, edit, PODS, remove } from '../../changes.ts'
import { numberAt } from '../figures.ts'
import type { Work } from '../making.ts'
import { claim, controllerReference, isControlledBy } from '../owners.ts'
import { makesSamePods, templateHash } from '../templates.ts'
import { HASH_LABEL } from './daemon-pods.ts'

export const DAEMON_SETS = 'apps/daemonsets'
const REVISIONS = 'apps/controllerrevisions'

export interface History {
  /** Of the revision that is what the DaemonSet says now. */
  readonly hash: string
  readonly old: readonly ApiObject[]
}

/** The revisions of a DaemonSet, which `kubectl rollout undo` goes back to; the present one is made where there is none. */
export async function historyOf(work: Work, set: ApiObject): Promise<History> {
  const { api, signal } = work
  const revisions = await claim(api, set, REVISIONS, signal)
  const template = objectAt(objectAt(set, 'spec'), 'template')
  const present = revisions
    .filter((each) => makesSamePods(templateIn(each), template))
    .sort(byRevision)
    .at(-1)
  const highest = Math.max(0, ...revisions.map((each) => numberAt(each, 'revision')))
  if (!present) {
    const made = await make(work, set, snapshotOf(set), highest + 1)
    return { hash: labelsOf(made)[HASH_LABEL] ?? '', old: revisions }
  }
  const old = revisions.filter((each) => each !== present)
  if (old.some((each) => numberAt(each, 'revision') > numberAt(present, 'revision'))) {
    const propose = (current: ApiObject) => withContent(current, { revision: highest + 1 })
    await edit(api, REVISIONS, present, '', propose, signal)
  }
  return { hash: labelsOf(present)[HASH_LABEL] ?? '', old }
}

/** Keeps as many revisions as the DaemonSet says, and those that pods are still of. */
export async function forgetOld({ api, signal }: Work, set: ApiObject, { old }: History): Promise<void> {
  const limit = numberAt(objectAt(set, 'spec'), 'revisionHistoryLimit', 10)
  if (old.length <= limit) return
  const pods = api.store
    .list(PODS, `${namespaceOf(set)}/`)
    .flatMap(([, pod]) => (isControlledBy(pod, set) ? [pod] : []))
  const live = new Set(pods.map((pod) => labelsOf(pod)[HASH_LABEL]))
  const unused = old.filter((each) => !live.has(labelsOf(each)[HASH_LABEL]))
  for (const each of [...unused].sort(byRevision).slice(0, old.length - limit)) {
    await remove(api, REVISIONS, each, signal)
  }
}

/** As a strategic merge patch that puts the whole template back. */
function snapshotOf(set: ApiObject): JsonObject {
  return { spec: { template: { ...objectAt(objectAt(set, 'spec'), 'template'), $patch: 'replace' } } }
}

/** The template of a revision as it was. */
function templateIn(revision: ApiObject): JsonObject {
  const { $patch: _, ...template } = objectAt(objectAt(objectAt(revision, 'data'), 'spec'), 'template')
  return template
}

async function make({ api, signal }: Work, set: ApiObject, data: JsonObject, revision: number): Promise<ApiObject> {
  const template = objectAt(objectAt(set, 'spec'), 'template')
  const hash = templateHash(template, numberAt(objectAt(set, 'status'), 'collisionCount'))
  const wanted: ApiObject = {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: `${nameOf(set)}-${hash}`,
      namespace: namespaceOf(set),
      labels: { ...objectAt(objectAt(template, 'metadata'), 'labels'), [HASH_LABEL]: hash },
      annotations: withFields(objectAt(set.metadata, 'annotations'), {
        'kubectl.kubernetes.io/last-applied-configuration': undefined,
      }),
      ownerReferences: [controllerReference(set)],
    },
    data,
    revision,
  }
  try {
    return await create(api, REVISIONS, wanted, signal)
  } catch (error) {
    const isTaken = error instanceof StatusError && error.status.reason === 'AlreadyExists'
    if (isTaken) await countCollision({ api, signal }, set)
    throw error
  }
}

/** The next name is another one. */
async function countCollision({ api, signal }: Pick<Work, 'api' | 'signal'>, set: ApiObject): Promise<void> {
  const propose = (current: ApiObject) => {
    const status = objectAt(current, 'status')
    const collisionCount = numberAt(status, 'collisionCount') + (uidOf(current) === uidOf(set) ? 1 : 0)
    return withContent(current, { status: { ...status, collisionCount } })
  }
  await edit(api, DAEMON_SETS, set, 'status', propose, signal)
}

function byRevision(one: ApiObject, other: ApiObject): number {
  return numberAt(one, 'revision') - numberAt(other, 'revision')
}
