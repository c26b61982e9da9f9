import type { TestContext } from 'node:test'
import { createMetrics } from '../../../../platform/health/index.ts'
import { createScope } from '../../../../platform/lifecycle/index.ts'
import { silentLogger } from '../../../../platform/log/index.ts'
import { type Clock, seconds, systemClock, systemRandom } from '../../../../platform/time/index.ts'
import { crds } from '../../../../schemas/crd/index.ts'
import { temporaryFolder } from '../../../../tools/testing/temporary-folder.ts'
import { type ServedApi, serveApi } from '../../../apiserver/testing/serve.ts'
import { createCloudModules } from '../../cloud-modules.ts'
import { type Kubernetes, type KubernetesCallers, kubernetesInside } from '../../kubernetes/index.ts'
import { join as joinCloud } from '../tls-cloud.ts'
import { OriginalEdge, type OriginalEdgeOptions } from './original-edge.ts'

export interface WholeCloud {
  readonly kubernetes: Kubernetes & KubernetesCallers
  /** For kubectl. */
  readonly api: ServedApi
  readonly cloud: Awaited<ReturnType<typeof startHalf>>
  /** Ends the cloud half and begins another over the same API. */
  restart(): Promise<void>
  stop(): Promise<void>
  /** Another cloud half over the same API, beside the first; answers its port. */
  replica(): Promise<number>
  /** Joins where the node has not yet, and dials. */
  edge(node?: string, options?: Partial<OriginalEdgeOptions>): Promise<OriginalEdge>
  dial(node: string, options?: Partial<OriginalEdgeOptions>): Promise<OriginalEdge | string>
  identityOf(node: string): Promise<{ readonly cert: string; readonly key: string }>
}

export interface WholeCloudOptions {
  /** Of the cloud half and the edges. */
  readonly clock?: Clock
  readonly nodeLimit?: number
}

/** The whole cloud half on real sockets over the embedded Kubernetes API, for original edges to dial. */
export async function startWholeCloud(t: TestContext, options: WholeCloudOptions = {}): Promise<WholeCloud> {
  const { clock = systemClock } = options
  const api = await serveApi(temporaryFolder('skerry-cloud-'), { crds })
  // As in the product, but nobody may change what the API holds as well.
  const server = api.local({ name: 'cloud', groups: ['system:masters'] })
  const kubernetes = kubernetesInside(server, { clock: systemClock, log: silentLogger })
  let half = await startHalf(kubernetes, options)
  const halves: (typeof half)[] = []
  const stop = () => half.stop()
  // In this order: an API that is closed first waits for its watches.
  t.after(async () => {
    await Promise.all(edges.map((edge) => edge.cut()))
    await stop()
    await Promise.all(halves.map((each) => each.stop()))
    await api[Symbol.asyncDispose]()
  })
  const edges: OriginalEdge[] = []
  const identities = new Map<string, Awaited<ReturnType<typeof joinCloud>>>()
  const identityOf = async (node: string) => {
    const known =
      identities.get(node) ??
      (await joinCloud({ certificates: half.certificates, authority: half.authority.current }, node))
    identities.set(node, known)
    return known
  }
  const dial = async (node: string, given: Partial<OriginalEdgeOptions> = {}) => {
    const { caPem: ca } = half.authority.current
    const edge = await OriginalEdge.dial({ port: half.cloudhub.port, node, ca, clock, ...given })
    if (edge instanceof OriginalEdge) edges.push(edge)
    return edge
  }
  return {
    kubernetes,
    api,
    get cloud() {
      return half
    },
    async restart() {
      await half.stop()
      half = await startHalf(kubernetes, options)
    },
    stop,
    async replica() {
      const other = await startHalf(kubernetes, options)
      halves.push(other)
      return other.cloudhub.port
    },
    identityOf,
    dial,
    async edge(node = 'edge-1', given = {}) {
      const edge = await dial(node, { identity: await identityOf(node), ...given })
      if (edge instanceof OriginalEdge) return edge
      throw new Error(`CloudHub did not let the edge in: ${edge}`)
    },
  }
}

async function startHalf(
  kubernetes: Kubernetes & KubernetesCallers,
  { clock = systemClock, nodeLimit = 100 }: WholeCloudOptions,
) {
  const host = '127.0.0.1'
  const log = silentLogger
  const metrics = createMetrics()
  const cloudhub = {
    host,
    port: 0,
    certificatePort: 0,
    advertise: [host, 'localhost'],
    nodeLimit,
    certificateDays: 365,
  }
  const config = { cloudhub, cloudstream: { tunnelPort: 0 }, admission: { host, port: 0 } }
  const ports = { kubernetes, callers: kubernetes, clock, random: systemRandom, log, metrics, clusterCa: CLUSTER_CA }
  const modules = createCloudModules(config, ports)
  const scope = createScope('cloud', {
    clock: systemClock,
    log,
    deadline: seconds(5),
    onCrash: (error) => {
      throw error
    },
  })
  for (const module of modules.modules) await module.start(scope)
  let isRunning = true
  const stop = async () => {
    if (isRunning) await scope[Symbol.asyncDispose]()
    isRunning = false
  }
  return { ...modules, metrics, stop }
}

/** Nothing verifies it: edges only ask for it. */
export const CLUSTER_CA = '-----BEGIN CERTIFICATE-----\nY2x1c3Rlcg==\n-----END CERTIFICATE-----\n'
