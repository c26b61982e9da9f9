import { join } from 'node:path'
import {
  CLOUD_GROUP,
  createApiServerModule,
  kubeconfig as kubeconfigText,
  kubernetesStore,
  openApiPki,
} from '../../hub/apiserver/index.ts'
import {
  type CloudHub,
  createCloudModules,
  type KubeconfigSource,
  type Kubernetes,
  type KubernetesCallers,
  kubernetesFromConfig,
  kubernetesInside,
  routerStoreDomain,
} from '../../hub/cloud/index.ts'
import type { Tunnels } from '../../hub/tunnel/index.ts'
import { environment } from '../../platform/environment/index.ts'
import { writeFileAtomic } from '../../platform/files/index.ts'
import type { ModuleEntry } from '../../platform/lifecycle/index.ts'
import { openStore } from '../../platform/store/index.ts'
import { systemClock as clock, systemRandom as random, seconds } from '../../platform/time/index.ts'
import type { CloudConfig, Endpoints } from '../../schemas/config/index.ts'
import { crds } from '../../schemas/crd/index.ts'
import type { Composition, Ground } from './host.ts'
import { identityRoutes } from './identity-routes.ts'
import { kubeletAuthorities, type OwnEndpoint } from './kubelet-authorities.ts'
import { clientAuthority, streamOptions } from './kubelets.ts'
import { routerOptions } from './replicas.ts'
import type { NodesReport } from './status/report.ts'
import { freePort } from './up/ports.ts'

/** The Kubernetes that the cloud half uses: how it is reached, and what has to run first where it is the embedded one. */
interface Cluster extends AsyncDisposable {
  readonly modules: readonly ModuleEntry[]
  open(): Promise<Kubernetes & KubernetesCallers & Disposable>
  readonly endpoints: Endpoints
  readonly ca?: string
  /** PEM of whose client certificates the embedded API believes. */
  readonly clientAuthority?: string
  /** Of the embedded API's database. */
  readonly incarnation?: number
}

/** Whom the embedded API takes the cloud half for. */
const CLOUD_USER = { name: 'skerry-cloud', groups: [CLOUD_GROUP] }

/** The cloud half: the embedded API unless there is a cluster, then the hub and its controllers. */
export async function composeCloud(config: CloudConfig, ground: Ground): Promise<Composition> {
  const { log, metrics } = ground
  const { kubelets, tunnel: hasTunnel } = config.cloudstream
  const streams = streamOptions(kubelets, isEmbedded(config), log)
  const parts = { ...config, cloudstream: { ...config.cloudstream, kubelets: streams } }
  let ownCa = (): string | undefined => undefined
  const trust = { stream: hasTunnel ? streams : undefined, ownCa: () => ownCa() }
  const cluster = await openCluster(config, ground, trust)
  const kubernetes = await cluster.open()
  // What it loses with a power cut, edges send again.
  const lasting = { clock, log, shrinks: true, durability: 'normal' } as const
  const store = await openStore(join(ground.directory, 'router.db'), [routerStoreDomain], lasting)
  const created = createCloudModules(parts, {
    router: { options: routerOptions(config), store },
    ...{ kubernetes, callers: kubernetes, clock, random, log, metrics },
    ...clientAuthority(kubelets, cluster.clientAuthority),
    ...(cluster.ca === undefined ? {} : { clusterCa: cluster.ca }),
    ...(cluster.incarnation === undefined ? {} : { incarnation: cluster.incarnation }),
  })
  const { modules, authority, register, cloudhub, certificates, tunnel, stream, router, hasApi } = created
  ownCa = () => authority.caPem
  const host = dialled(config.cloudhub.host)
  return {
    modules: [...cluster.modules, ...modules.map((module) => ({ module }))],
    endpoints: () => ({
      ...cluster.endpoints,
      cloudhub: `wss://${host}:${cloudhub.port}`,
      certificates: `https://${host}:${certificates.port}`,
      ...(stream ? { stream: `https://${dialled(kubelets.host)}:${stream.port}` } : {}),
      ...(tunnel ? { tunnel: `wss://${host}:${tunnel.port}` } : {}),
      ...(router ? { router: `${routerScheme(config)}://${dialled(config.router.host)}:${router.port}` } : {}),
    }),
    isServing: hasApi,
    links: () => ({ nodes: nodesReport(cloudhub.hub.snapshot(), tunnel?.tunnels) }),
    routes: identityRoutes({ authority, register, clock, isConnected: (node) => cloudhub.hub.isConnected(node) }),
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      kubernetes[Symbol.dispose]()
      await cluster[Symbol.asyncDispose]()
    },
  }
}

function routerScheme({ router }: CloudConfig): string {
  return router.plainHttp ? 'http' : 'https'
}

function isEmbedded({ kubernetes }: CloudConfig): boolean {
  return kubernetes.kubeconfig === undefined && environment('KUBERNETES_SERVICE_HOST') === undefined
}

async function openCluster(config: CloudConfig, ground: Ground, trust: OwnEndpoint): Promise<Cluster> {
  const { kubeconfig: file } = config.kubernetes
  const { log, metrics } = ground
  const none = { modules: [], [Symbol.asyncDispose]: async () => undefined }
  const from = (source: KubeconfigSource) => ({ open: () => kubernetesFromConfig(source, { clock, log, metrics }) })
  if (file !== undefined) return { ...none, ...from({ file }), endpoints: { kubeconfig: file } }
  if (!isEmbedded(config)) {
    return { ...none, ...from({ inCluster: true }), endpoints: {} }
  }
  return embeddedCluster(config.kubernetes, ground, trust)
}

/** SQLite, certificates, and a kubeconfig for people in DIR. */
async function embeddedCluster(
  config: CloudConfig['kubernetes'],
  ground: Ground,
  trust: OwnEndpoint,
): Promise<Cluster> {
  const { directory, log, metrics } = ground
  const { host } = config
  const port = config.port === 0 ? await freePort() : config.port
  const server = `https://${dialled(host)}:${port}`
  const pki = await openApiPki(directory, { names: [dialled(host), ...config.names], clock, log })
  const store = await openStore(join(directory, 'kubernetes.db'), [kubernetesStore], {
    clock,
    log,
    metrics,
    shrinks: true,
  })
  const { certificate, privateKey } = pki.serving
  const module = createApiServerModule({
    ...{ store, host, port, crds, clock, random, log, metrics },
    accountKey: pki.accountKey,
    authority: pki.authority,
    kubelet: { ...pki.kubeletClient, authorityAt: await kubeletAuthorities(config.kubeletCa, trust) },
    nodeGrace: seconds(config.nodeGraceSeconds),
    tls: { certificate, privateKey, clientAuthority: pki.ca },
    ...auditOf(config.audit, directory),
  })
  const { certificate: cert, privateKey: key } = pki.admin
  const kubeconfig = join(directory, 'kubeconfig')
  await writeFileAtomic(kubeconfig, kubeconfigText({ server, ca: pki.ca, cert, key, user: 'admin' }), 0o600)
  return {
    modules: [{ module }],
    // Over HTTPS to itself, the cloud half would spend more time on the road than on the work.
    open: async () => ({
      ...kubernetesInside(module.local(CLOUD_USER), { clock, log }),
      [Symbol.dispose]: () => undefined,
    }),
    endpoints: { kubeconfig, apiserver: server },
    ca: pki.ca,
    clientAuthority: pki.ca,
    incarnation: store.incarnation,
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

function auditOf({ log, maxMegabytes, keep }: CloudConfig['kubernetes']['audit'], directory: string) {
  if (log === 'off') return {}
  const file = join(directory, 'audit', 'kubernetes.log')
  return { audit: { file, what: log, mostBytes: maxMegabytes * 1024 * 1024, keep } }
}

function nodesReport({ nodes, dropped }: ReturnType<CloudHub['snapshot']>, tunnels: Tunnels | undefined): NodesReport {
  const connected = nodes.map(({ skerry, ...each }) => ({
    ...each,
    peer: skerry ? ('skerry' as const) : ('kubeedge' as const),
    ...(tunnels ? { tunnel: tunnels.isOpen(each.node) } : {}),
  }))
  return { connected, dropped }
}

/** Where a server that listens on this address is reached from this machine. */
function dialled(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}
