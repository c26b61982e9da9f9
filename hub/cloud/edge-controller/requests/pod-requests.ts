import type { Json, JsonObject } from '../../../../schemas/index.ts'
import { isJsonObject, isKubeObject } from '../../kubernetes/guards.ts'
import { type AnyObject, type Kubernetes, NODES, PODS, reasonOfError } from '../../kubernetes/index.ts'
import { nodeOf } from '../pods/pod-cache.ts'
import { isMirror, referencesOf } from '../references/pod-references.ts'
import { type Ask, asJson, bodyOf, foreign, objectOf, type RequestTable, refused } from './ask.ts'
import type { OwnPods, PodClaim } from './own-pods.ts'

/** What a node says of its pods. It touches those that are assigned to it, and no others. */
export function podRequests(kubernetes: Kubernetes, own: OwnPods): RequestTable {
  const patchStatus = (pod: AnyObject, status: Json, type: 'strategic' | 'merge', signal: AbortSignal) => {
    const { namespace = 'default', name, uid = '' } = pod.metadata
    // The uid holds the patch to this pod, should a successor take its name meanwhile.
    const body = { metadata: { uid }, status }
    return kubernetes.patch(PODS, { namespace, name }, body, { type, subresource: 'status' }, signal)
  }
  const remove = async (claim: PodClaim, gracePeriodSeconds: number | undefined, signal: AbortSignal) => {
    const { namespace, name, uid } = claim
    const options = { uid, ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }) }
    try {
      await kubernetes.delete(PODS, { namespace, name }, options, signal)
    } catch (error) {
      // Of a conflict there can be one cause: the pod is gone, and another one has its name.
      if (reasonOfError(error) !== 'Conflict') throw error
      own.evict(claim)
    }
  }
  return {
    'patch podpatch': {
      shape: 'object',
      async perform(ask, signal) {
        const { metadata, status = {} } = bodyOf(ask)
        const pod = await own.find(claimOf(ask, textIn(metadata, 'uid')), signal)
        return asJson(await patchStatus(pod, status, 'strategic', signal))
      },
    },
    // Of older edges: {UID, Name, Status}, or a list of them.
    'update podstatus': {
      shape: 'ok',
      async perform(ask, signal) {
        for (const report of reportsIn(ask)) {
          const claim = { ...claimOf(ask, textIn(report, 'UID')), name: textIn(report, 'Name') || ask.name }
          try {
            const pod = await own.find(claim, signal)
            const patched = await patchStatus(pod, report['Status'] ?? {}, 'merge', signal)
            if (hasEnded(patched)) await remove({ ...claim, uid: pod.metadata.uid ?? '' }, 0, signal)
          } catch (error) {
            // Its deletion is on the way; KubeEdge says OK to it, too.
            if (reasonOfError(error) !== 'NotFound') throw error
          }
        }
        return undefined
      },
    },
    'query pod': {
      shape: 'bare',
      perform: async (ask, signal) => asJson(await own.find(claimOf(ask, ''), signal)),
    },
    'insert pod': {
      shape: 'object',
      async perform(ask, signal) {
        const pod = objectOf(ask)
        await checkMirror(kubernetes, ask, pod, signal)
        return asJson(await kubernetes.create(PODS, ask.namespace, pod, signal))
      },
    },
    'delete pod': {
      shape: 'ok',
      async perform(ask, signal) {
        const { uid, grace } = deletionIn(ask)
        const claim = claimOf(ask, uid)
        try {
          const pod = await own.find(claim, signal)
          await remove({ ...claim, uid: pod.metadata.uid ?? '' }, grace, signal)
        } catch (error) {
          // It is gone: what the edge wants.
          if (reasonOfError(error) !== 'NotFound') throw error
        }
        return undefined
      },
    },
  }
}

function claimOf({ node, namespace, name }: Ask, uid: string): PodClaim {
  if (name === '') throw refused('BadRequest', 'the resource names no pod')
  return { node, namespace, name, uid }
}

function reportsIn(ask: Ask): readonly JsonObject[] {
  const { content } = ask
  return Array.isArray(content) ? content.filter(isJsonObject) : [bodyOf(ask)]
}

/** DeleteOptions, or the bare uid of older edges, or nothing. */
function deletionIn({ content, raw }: Ask): { readonly uid: string; readonly grace: number | undefined } {
  if (typeof raw === 'string' && !isJsonObject(content)) return { uid: raw, grace: 0 }
  if (!isJsonObject(content)) return { uid: '', grace: undefined }
  const grace = content['gracePeriodSeconds']
  return {
    uid: textIn(content['preconditions'], 'uid'),
    grace: typeof grace === 'number' && Number.isInteger(grace) && grace >= 0 ? grace : undefined,
  }
}

/** As the NodeRestriction admission plugin has it: of this node, owned by its Node, and without anything of the API. */
async function checkMirror(kubernetes: Kubernetes, { node }: Ask, pod: JsonObject, signal: AbortSignal): Promise<void> {
  const object = asPod(pod)
  const on = nodeOf(object)
  if (on !== '' && on !== node) throw foreign(`a node may not make a pod on node ${on}`)
  if (on !== node || !isMirror(object)) {
    throw refused('Forbidden', 'a node makes mirror pods of its own and no others')
  }
  const owners = object.metadata.ownerReferences ?? []
  const [owner] = owners
  const present = await kubernetes.get(NODES, { name: node }, signal)
  const isOwned = owner?.kind === 'Node' && owner.name === node && owner.uid === present?.metadata.uid
  if (owners.length !== 1 || !isOwned) throw refused('Forbidden', 'a mirror pod has its Node as its owner')
  const { configMaps, secrets, claims } = referencesOf(object)
  const spec = object.spec ?? {}
  const account = spec['serviceAccountName'] || spec['serviceAccount']
  if (configMaps.size + secrets.size + claims.size > 0 || account) {
    throw refused('Forbidden', 'a mirror pod may not use secrets, configmaps, volume claims or service accounts')
  }
}

function asPod(pod: JsonObject): AnyObject {
  const object: unknown = { ...pod, apiVersion: 'v1', kind: 'Pod' }
  if (isKubeObject(object) && PODS.accepts(object)) return object
  throw refused('BadRequest', 'the content is not a Pod')
}

/** Asked to go, and all that ran in it has ended. */
function hasEnded({ metadata, status = {} }: AnyObject): boolean {
  if (metadata.deletionTimestamp === undefined) return false
  const lists = ['initContainerStatuses', 'containerStatuses'].map((name) => status[name])
  return lists.every((list) => !Array.isArray(list) || list.every((each: Json) => isJsonObject(each) && isOver(each)))
}

function isOver(container: JsonObject): boolean {
  const state = container['state']
  return isJsonObject(state) && isJsonObject(state['terminated'])
}

function textIn(value: unknown, name: string): string {
  const text = isJsonObject(value) ? value[name] : undefined
  return typeof text === 'string' ? text : ''
}
