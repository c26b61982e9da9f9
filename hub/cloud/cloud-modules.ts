import type { Metrics } from '../../platform/health/index.ts'
import type { Module } from '../../platform/lifecycle/index.ts'
import type { Logger } from '../../platform/log/index.ts'
import { type Clock, type Duration, minutes, type Random } from '../../platform/time/index.ts'
import type { Tunnels } from '../tunnel/index.ts'
import { type ClientAuthoritySource, createAccessModule } from './access/module.ts'
import { type AdmissionOptions, createAdmissionModule } from './admission/module.ts'
import { createKeadmTokenModule } from './authority/keadm-token.ts'
import { type AuthorityModule, createAuthorityModule } from './authority/module.ts'
import { createCertificateServerModule, type ListeningModule } from './certificate-server/module.ts'
import { createCacheModule, createCloudInformers } from './cloud-informers.ts'
import type { CloudHub } from './cloudhub/delivery.ts'
import { type CloudHubModule, createCloudHubModule } from './cloudhub/module.ts'
import {
  createStreamServerModule,
  type StreamServerOptions,
  type StreamServerPorts,
} from './cloudstream/stream-server.ts'
import {
  createTunnelServerModule,
  type TunnelServerModule,
  type TunnelServerPorts,
} from './cloudstream/tunnel-server.ts'
import { composeRouter, type RouterParts } from './compose-router.ts'
import type { DeviceLimits } from './device-controller/limits.ts'
import { createDeviceControllerModule } from './device-controller/module.ts'
import { createDynamicControllerModule } from './dynamic-controller/module.ts'
import { createEdgeControllerModule } from './edge-controller/module.ts'
import { type ServiceSettings, serviceLimits } from './edge-controller/services/service-limits.ts'
import { ApiTroubles, type Kubernetes, type KubernetesCallers, observedKubernetes } from './kubernetes/index.ts'
import { createNodeRegisterModule } from './node-register/module.ts'
import type { NodeRegister } from './node-register/node-register.ts'
import { createPolicyControllerModule } from './policy-controller/module.ts'
import type { RouterModule } from './router/module.ts'

/** What the cloud half is configured with; the parts of CloudConfig that concern it. */
export interface CloudModulesConfig {
  readonly cloudhub: {
    readonly host: string
    readonly port: number
    readonly certificatePort: number
    readonly advertise: readonly string[]
    readonly nodeLimit: number
    /** Default 32 MiB. */
    readonly maxFrameBytes?: number
    /** For TLS and the head of the upgrade; default 10 s. */
    readonly handshakeWithin?: Duration
    readonly certificateDays: number
    /** Default 30. */
    readonly renewalGraceDays?: number
    readonly keadmToken?: boolean
  }
  /** Absent: nodes open no tunnels. */
  readonly cloudstream?: {
    readonly tunnel?: boolean
    readonly tunnelPort: number
    readonly streamsPerNode?: number
    /** Absent: nobody reaches kubelets through them. */
    readonly kubelets?: StreamServerOptions | undefined
  }
  /** Absent: defaults. */
  readonly devices?: DeviceLimits
  /** What services for nodes may cost. Absent: defaults. */
  readonly services?: ServiceSettings
  readonly admission: AdmissionOptions
}

export interface CloudModulesPorts {
  readonly kubernetes: Kubernetes
  /** The same API in the name of others; absent: callers on nodes are not served. */
  readonly callers?: KubernetesCallers
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
  /** PEM of the CA of the Kubernetes API, for edges that ask for it. */
  readonly clusterCa?: string
  /** Whose client certificates are believed; absent: those that the cluster publishes. */
  readonly clientAuthority?: ClientAuthoritySource
  /** Of the database behind the API, where that is known: another one than last time means that a backup was put back. */
  readonly incarnation?: number
  /** Absent: no rules are followed. */
  readonly router?: RouterParts
}

export interface CloudModules {
  /** To be started in this order, after whatever serves the Kubernetes API. */
  readonly modules: readonly Module[]
  /** For join tokens, once `authority` has started. */
  readonly authority: AuthorityModule
  /** Which nodes are admitted, once its module has started. */
  readonly register: NodeRegister
  readonly cloudhub: CloudHubModule
  readonly certificates: ListeningModule
  readonly admission: ListeningModule
  /** Absent: nodes open no tunnels. */
  readonly tunnel?: TunnelServerModule
  /** Absent: no rules are followed. */
  readonly router?: RouterModule
  /** Absent: nobody reaches kubelets through them. */
  readonly stream?: ListeningModule
  /** False while the API tells of nothing: whoever is new is better served by another replica, if one there has an API. */
  hasApi(): boolean
}

/** The cloud half, wired: caches, authority, certificate endpoint, CloudHub, controllers, admission. */
export function createCloudModules(config: CloudModulesConfig, given: CloudModulesPorts): CloudModules {
  const { cloudhub: hubConfig } = config
  const troubles = new ApiTroubles(given)
  const ports = { ...given, troubles, kubernetes: observedKubernetes(given.kubernetes, { ...given, troubles }) }
  const informers = createCloudInformers(ports)
  const dialled = bracketed(hubConfig.advertise[0] ?? hubConfig.host)
  const hints = () => ({ address: `${dialled}:${certificates.port}`, server: `${dialled}:${cloudhub.port}` })
  const names = withWebhook(hubConfig.advertise, config.admission)
  const authority = createAuthorityModule({ names, certificateDays: hubConfig.certificateDays, hints }, ports)
  const registering = createNodeRegisterModule({ ...ports, nodes: informers.nodes })
  const { register } = registering
  const { host, certificatePort } = hubConfig
  const grace = minutes((hubConfig.renewalGraceDays ?? 30) * 24 * 60)
  const certificates = createCertificateServerModule(
    { host, port: certificatePort, grace },
    { ...ports, authority, register, nodes: informers.nodes },
  )
  const tunnel = tunnelServer(config, { ...ports, authority, register })
  const said = () => (tunnel ? String(tunnel.port) : 'off')
  const replica = () => router?.replica
  const cloudhub = createCloudHubModule(hubConfig, {
    ...ports,
    ...informers,
    authority,
    register,
    tunnel: said,
    replica,
  })
  const { hub } = cloudhub
  const tunnels = tunnel ? { tunnels: tunnel.tunnels } : {}
  const caller = createAccessModule(given.clientAuthority, ports)
  const router = composeRouter(given.router, { ...ports, ...informers, hub, authority, caller, ...tunnels })
  const stream = composeStream(config, { ...ports, ...informers, hub, authority, caller, ...tunnels })
  const admission = createAdmissionModule(config.admission, { ...ports, ...informers, authority })
  const limits = config.services ? { services: serviceLimits(config.services) } : {}
  const edge = createEdgeControllerModule({ ...ports, ...informers, hub, ...limits })
  const workloads = () => edge.workloads
  const modules = [
    createCacheModule(Object.values(informers), troubles),
    authority,
    ...(hubConfig.keadmToken ? [createKeadmTokenModule({ ...ports, authority })] : []),
    registering,
    createDeviceControllerModule({
      ...{ ...ports, ...informers, hub },
      ...(config.devices ? { limits: config.devices } : {}),
    }),
    edge,
    createPolicyControllerModule({ ...ports, ...informers, hub, workloads }),
    ...(given.callers
      ? [createDynamicControllerModule({ ...ports, ...informers, callers: given.callers, hub, workloads })]
      : []),
    certificates,
    admission,
    ...[router || stream ? caller : undefined, stream, tunnel, router].filter((module) => module !== undefined),
    // Last, so that an edge meets everything that answers it.
    cloudhub,
  ]
  const kinds = Object.values(informers).map(({ type }) => type.kind)
  const hasApi = () => !troubles.isSilentOn(kinds)
  const optional = { ...(tunnel ? { tunnel } : {}), ...(stream ? { stream } : {}), ...(router ? { router } : {}) }
  return { modules, authority, register, cloudhub, certificates, admission, ...optional, hasApi }
}

function composeStream(
  { cloudstream }: CloudModulesConfig,
  { hub, tunnels, ...ports }: Omit<StreamServerPorts, 'tunnels' | 'isConnected'> & { hub: CloudHub; tunnels?: Tunnels },
): ListeningModule | undefined {
  if (!tunnels || !cloudstream?.kubelets) return undefined
  return createStreamServerModule(cloudstream.kubelets, {
    ...ports,
    tunnels,
    isConnected: (node) => hub.isConnected(node),
  })
}

function tunnelServer(
  { cloudstream, cloudhub: { host, nodeLimit, handshakeWithin } }: CloudModulesConfig,
  ports: TunnelServerPorts,
): TunnelServerModule | undefined {
  if (!cloudstream || cloudstream.tunnel === false) return undefined
  const { tunnelPort, streamsPerNode } = cloudstream
  return createTunnelServerModule(
    {
      ...{ host, port: tunnelPort, nodeLimit },
      ...(streamsPerNode === undefined ? {} : { streamsPerNode }),
      ...(handshakeWithin === undefined ? {} : { handshakeWithin }),
    },
    ports,
  )
}

/** What the API server dials the webhook by has to stand in the certificate too. */
function withWebhook(names: readonly string[], { host, service }: AdmissionOptions): readonly string[] {
  const local = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  const dialled = service ? `${service.name}.${service.namespace}.svc` : local
  return names.includes(dialled) ? names : [...names, dialled]
}

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}
