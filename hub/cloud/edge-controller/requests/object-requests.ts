import type { JsonObject } from '../../../../schemas/index.ts'
import { isJsonObject } from '../../kubernetes/guards.ts'
import {
  type AnyObject,
  CONFIG_MAPS,
  type Kubernetes,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  SECRETS,
  SERVICE_ACCOUNTS,
  VOLUME_ATTACHMENTS,
} from '../../kubernetes/index.ts'
import type { Workloads } from '../pods/workloads.ts'
import { isMirror, referencesOf } from '../references/pod-references.ts'
import { type Ask, asJson, bodyOf, found, type RequestTable, refused } from './ask.ts'
import type { OwnPods } from './own-pods.ts'

export interface ObjectRequestPorts {
  readonly kubernetes: Kubernetes
  readonly workloads: Workloads
  readonly own: OwnPods
}

/** What pods of a node need: a node reads what they use and nothing else, as Kubernetes' Node authorizer has it. */
export function objectRequests({ kubernetes, workloads, own }: ObjectRequestPorts): RequestTable {
  const usedBy = (ask: Ask, kind: 'ConfigMap' | 'Secret' | 'PersistentVolumeClaim') => {
    const { node, namespace, name } = ask
    if (name === '') throw refused('BadRequest', `the resource names no ${kind}`)
    if (workloads.isUsed(node, kind, { namespace, name })) return { namespace, name }
    throw refused('Forbidden', `no pod of node ${node} uses ${kind} ${namespace}/${name}`)
  }
  return {
    'query configmap': {
      shape: 'bare',
      async perform(ask, signal) {
        const at = usedBy(ask, 'ConfigMap')
        return asJson(workloads.configMaps.get(at) ?? (await found(kubernetes, CONFIG_MAPS, at, signal)))
      },
    },
    'query secret': {
      shape: 'bare',
      async perform(ask, signal) {
        const at = usedBy(ask, 'Secret')
        return asJson(workloads.secrets.get(at) ?? (await found(kubernetes, SECRETS, at, signal)))
      },
    },
    'query persistentvolumeclaim': {
      shape: 'bare',
      perform: async (ask, signal) =>
        asJson(await found(kubernetes, PERSISTENT_VOLUME_CLAIMS, usedBy(ask, 'PersistentVolumeClaim'), signal)),
    },
    'query persistentvolume': {
      shape: 'bare',
      async perform(ask, signal) {
        const volume = await found(kubernetes, PERSISTENT_VOLUMES, { name: ask.name }, signal)
        const claim = volume.spec?.['claimRef']
        const { namespace, name } = isJsonObject(claim) ? claim : {}
        const isNamed = typeof namespace === 'string' && typeof name === 'string'
        if (isNamed && workloads.isUsed(ask.node, 'PersistentVolumeClaim', { namespace, name })) return asJson(volume)
        throw refused('Forbidden', `no pod of node ${ask.node} uses PersistentVolume ${ask.name}`)
      },
    },
    'query volumeattachment': {
      shape: 'bare',
      async perform(ask, signal) {
        const attachment = await found(kubernetes, VOLUME_ATTACHMENTS, { name: ask.name }, signal)
        if (attachment.spec?.['nodeName'] === ask.node) return asJson(attachment)
        throw refused('Forbidden', `VolumeAttachment ${ask.name} is not of node ${ask.node}`)
      },
    },
    'query serviceaccounttoken': {
      shape: 'bare',
      async perform(ask, signal) {
        const request = await checkToken(own, ask, signal)
        const at = { namespace: ask.namespace, name: ask.name }
        const body = { ...request, apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest' }
        return await kubernetes.createBelow(SERVICE_ACCOUNTS, at, 'token', body, signal)
      },
    },
  }
}

/** A token is for a pod that runs on the node, under the service account that the pod has; a mirror pod has none. */
async function checkToken(own: OwnPods, ask: Ask, signal: AbortSignal): Promise<JsonObject> {
  const { node, namespace, name } = ask
  const request = bodyOf(ask)
  const spec = request['spec']
  const bound = isJsonObject(spec) ? spec['boundObjectRef'] : undefined
  const { kind, name: pod, uid } = isJsonObject(bound) ? bound : {}
  if (kind !== 'Pod' || typeof pod !== 'string' || typeof uid !== 'string' || uid === '') {
    throw refused('Forbidden', 'a node gets tokens that are bound to a pod, by its name and uid')
  }
  const found: AnyObject = await own.find({ node, namespace, name: pod, uid }, signal)
  if (!isMirror(found) && referencesOf(found).serviceAccount === name) return { spec: isJsonObject(spec) ? spec : {} }
  throw refused('Forbidden', `pod ${namespace}/${pod} does not run under service account ${name}`)
}
