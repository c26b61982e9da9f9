import type { Scope } from '../../../../platform/lifecycle/index.ts'
import { seconds } from '../../../../platform/time/index.ts'
import type { JsonObject } from '../../../../schemas/index.ts'
import { createDescriptions, type Descriptions } from '../../../serving/descriptions/descriptions.ts'
import { createOpenApiDocuments } from '../../../serving/descriptions/openapi-documents.ts'
import type { Registry } from '../../../serving/objects/registry.ts'
import type { ResourcePath } from '../../../serving/requests/paths.ts'
import type { Rights } from '../access/rights.ts'
import type { MetaServerPorts } from '../metaserver-ports.ts'
import type { Copies } from '../requests/copies.ts'
import { ClusterKinds, DISCOVERY_PATHS } from './cluster-kinds.ts'
import { ClusterOpenApi, INDEX, WHOLE } from './cluster-openapi.ts'
import { LastTold, type LastToldOptions } from './last-told.ts'
import { ToldDocuments } from './told-documents.ts'

export interface ClusterPorts extends Pick<MetaServerPorts, 'store' | 'applications' | 'clock' | 'log' | 'metrics'> {
  readonly registry: Registry
  readonly rights: Rights
  readonly copies: Copies
  /** `host:port` as clients reach this server. */
  readonly address: () => string
}

/** What is known of the cluster behind this node. */
export interface Cluster {
  /** Discovery and OpenAPI of both; to who may not know of the cluster's, those of this node. */
  readonly descriptions: Descriptions
  /** What the cloud answered to a request for a resource: it may show that what is known of the cluster is no longer so. */
  noticed(path: ResourcePath, isRead: boolean, code: number): void
}

const REST = seconds(2)
const PATIENCE = seconds(3)
/** OpenAPI 2.0 of a whole cluster is some megabytes, and only old clients want it. */
const REST_OF_WHOLE = seconds(60)
const PATIENCE_FOR_WHOLE = seconds(8)
/** Whose objects bring kinds and take them away. */
const DECLARING: ReadonlySet<string> = new Set(['apiextensions.k8s.io', 'apiregistration.k8s.io'])

export async function openCluster(ports: ClusterPorts, scope: Scope): Promise<Cluster> {
  const { registry, address, applications, metrics } = ports
  const documents = new ToldDocuments(ports, [...DISCOVERY_PATHS, INDEX])
  await documents.open()
  const asked = metrics.counter({
    name: 'skerry_metaserver_discovery_total',
    help: 'Questions what the cluster serves, by outcome; failed: what was known before serves.',
    labels: ['outcome'],
  })
  const told = (options: LastToldOptions) => new LastTold({ ...ports, documents, asked, signal: scope.signal }, options)
  const kinds = new ClusterKinds(registry)
  const own = createOpenApiDocuments(registry)
  const whole = told({ paths: [WHOLE], rest: REST_OF_WHOLE, patience: PATIENCE_FOR_WHOLE })
  const openApi = new ClusterOpenApi({ own, kinds, documents, applications, whole })
  const shared = { rest: REST, patience: PATIENCE }
  const takeKinds = (path: string, list: JsonObject) => {
    const isTaken = kinds.take(path, list)
    if (isTaken && kinds.left > 0) ports.log.warn('Some kinds of the cluster are not shown', { path, left: kinds.left })
    return isTaken
  }
  const discovery = told({ ...shared, paths: DISCOVERY_PATHS, aggregated: true, take: takeKinds })
  const index = told({ ...shared, paths: [INDEX], take: (_path, object) => openApi.take(object) })
  for (const each of [whole, discovery, index]) await each.open()
  metrics
    .gauge({
      name: 'skerry_metaserver_cluster_kinds',
      help: 'Kinds of the cluster that MetaServer shows beside its own.',
    })
    .follow(() => kinds.elsewhere)
  metrics
    .gauge({
      name: 'skerry_metaserver_discovery_bytes',
      help: 'What MetaServer keeps on disk of the discovery and OpenAPI of the cluster, in characters.',
    })
    .follow(() => documents.bytes)
  const ofNode = createDescriptions({ registry, openApi: own, address })
  const ofBoth = createDescriptions({ registry: kinds, openApi, address })
  return {
    descriptions: {
      health: ofNode.health,
      async describe(described) {
        const [root, form] = described.segments
        const isKinds = root === 'api' || root === 'apis'
        const isOpenApi = root === 'openapi' && (form === 'v2' || form === 'v3')
        const isShown =
          (isKinds || isOpenApi) &&
          (await discovery.isShownTo(described)) &&
          (form !== 'v3' || isKinds || (await index.isShownTo(described)))
        return await (isShown ? ofBoth : ofNode).describe(described)
      },
    },
    noticed({ group, version, plural }, isRead, code) {
      const isKnown = registry.find(group, version, plural) !== undefined || kinds.isElsewhere(group, version, plural)
      const isDeclared = !isRead && code < 300 && DECLARING.has(group)
      const isNew = code < 300 && !isKnown
      const mayBeGone = code === 404 && kinds.isElsewhere(group, version, plural)
      if (!isDeclared && !isNew && !mayBeGone) return
      for (const each of [discovery, index, whole]) each.expire()
    },
  }
}
