import { type ApiPlace, type JsonObject, NODE_ORGANIZATION, nodeCommonName } from '../../../schemas/index.ts'
import type { AccessReviews } from '../access/access-reviews.ts'
import type { Workloads } from '../edge-controller/pods/workloads.ts'
import { isRecord } from '../kubernetes/guards.ts'
import { forbidden } from './status.ts'

export interface NodeRightsPorts {
  readonly access: Pick<AccessReviews, 'decide'>
  /** Undefined while they are not known. */
  readonly workloads: () => Workloads | undefined
}

export interface Wanted {
  readonly verb: string
  readonly place: ApiPlace
  readonly subresource: string
  readonly options: JsonObject
}

/** What a node may have: all of it, or only what passes; `fieldSelector` has the API select it. Or a Status that says why not. */
export type Verdict =
  | { readonly ok: true; readonly fieldSelector?: string; readonly passes?: (object: JsonObject) => boolean }
  | { readonly ok: false; readonly status: JsonObject }

const READS: ReadonlySet<string> = new Set(['get', 'list', 'watch'])
const USED: Readonly<Record<string, 'ConfigMap' | 'Secret' | 'PersistentVolumeClaim' | 'ServiceAccount'>> = {
  configmaps: 'ConfigMap',
  secrets: 'Secret',
  persistentvolumeclaims: 'PersistentVolumeClaim',
  serviceaccounts: 'ServiceAccount',
}
/** What Kubernetes' NodeRestriction watches over, and cannot where the cloud half asks for a node: a node writes them as `edged`. */
const GOVERNED: ReadonlySet<string> = new Set([
  ...[
    '/nodes',
    '/pods',
    '/secrets',
    '/configmaps',
    '/serviceaccounts',
    '/persistentvolumeclaims',
    '/persistentvolumes',
  ],
  ...['coordination.k8s.io/leases', 'certificates.k8s.io/certificatesigningrequests', 'storage.k8s.io/csinodes'],
  ...['resource.k8s.io/resourceslices', 'authentication.k8s.io/tokenreviews', 'devices.kubeedge.io/devices'],
])

/**
 * What a node may ask in its own name: its own Node, pods and devices and what these pods use, as under Kubernetes' Node authoriser,
 * whatever else it was given; of everything else what a SubjectAccessReview allows the user `system:node:<node>`.
 */
export class NodeRights {
  readonly #ports: NodeRightsPorts

  constructor(ports: NodeRightsPorts) {
    this.#ports = ports
  }

  async decide(node: string, wanted: Wanted, signal: AbortSignal): Promise<Verdict> {
    const { verb, place, subresource } = wanted
    const kind = `${place.group}/${place.resource}`
    const no = (why: string): Verdict => ({ ok: false, status: forbidden(node, titleOf(place), why) })
    if (GOVERNED.has(kind) && (!READS.has(verb) || subresource !== '')) {
      return no('in its own name it reads such objects; their owner has to show a token of his own')
    }
    if (place.resource === 'devices' && place.group === 'devices.kubeedge.io') {
      return { ok: true, passes: (object) => specOf(object)['nodeName'] === node }
    }
    if (place.resource === 'devicemodels' && place.group === 'devices.kubeedge.io' && READS.has(verb))
      return { ok: true }
    if (place.group === '') {
      const own = this.#core(node, wanted, no)
      if (own) return own
    }
    const { name, namespace, group, version, resource: plural } = place
    const user = userOf(node)
    const resource = {
      ...{ group, version, plural },
      ...(subresource === '' ? {} : { subresource }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(name === undefined ? {} : { name }),
    }
    const { allowed, reason } = await this.#ports.access.decide(user, { verb, resource }, signal)
    return allowed
      ? { ok: true }
      : no(reason === '' ? `no role of ${user.name} or ${NODE_ORGANIZATION} allows it` : reason)
  }

  /** A Status where the node may not read the path. */
  async refusePath(node: string, path: string, signal: AbortSignal): Promise<JsonObject | undefined> {
    const { allowed } = await this.#ports.access.decide(userOf(node), { verb: 'get', path }, signal)
    return allowed ? undefined : forbidden(node, path, 'no role of system:authenticated allows it')
  }

  /** Of the core group; nothing where that is for the API to say. */
  #core(node: string, { verb, place, options }: Wanted, no: (why: string) => Verdict): Verdict | undefined {
    const { resource, namespace = '', name } = place
    if (resource === 'nodes') {
      if (verb === 'get') return name === node ? { ok: true } : no('it is another node')
      return { ok: true, fieldSelector: `metadata.name=${node}` }
    }
    if (resource === 'pods') {
      const fieldSelector = `spec.nodeName=${node}`
      if (verb !== 'get') return { ok: true, fieldSelector }
      return { ok: true, passes: (object) => specOf(object)['nodeName'] === node }
    }
    const used = USED[resource]
    if (!used) return undefined
    const one = name ?? nameIn(options)
    if (one === undefined || namespace === '') return no(`of ${resource} it has those that its pods use, by their name`)
    const isUsed = this.#ports.workloads()?.isUsed(node, used, { namespace, name: one }) ?? false
    return isUsed ? { ok: true } : no(`no pod of it uses ${used} ${namespace}/${one}`)
  }
}

function userOf(node: string) {
  return { name: nodeCommonName(node), groups: [NODE_ORGANIZATION, 'system:authenticated'] }
}

function nameIn(options: JsonObject): string | undefined {
  const selector = options['fieldSelector']
  return typeof selector === 'string' ? /^metadata\.name==?([^,=!]+)$/.exec(selector)?.[1] : undefined
}

function specOf(object: JsonObject): Readonly<Record<string, unknown>> {
  const spec = object['spec']
  return isRecord(spec) ? spec : {}
}

function titleOf({ resource, group, name }: ApiPlace): string {
  return `${resource}${group === '' ? '' : `.${group}`}${name === undefined ? '' : ` "${name}"`}`
}
