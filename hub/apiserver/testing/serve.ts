import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { createScope } from '../../../platform/lifecycle/index.ts'
import { type Logger, silentLogger } from '../../../platform/log/index.ts'
import { openStore } from '../../../platform/store/index.ts'
import { type Clock, type Duration, seconds, systemClock, systemRandom } from '../../../platform/time/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import type { ApiObject } from '../../kube/resource.ts'
import type { AuditOptions } from '../audit/audit-log.ts'
import {
  type ApiPki,
  type ApiServer,
  createApiServerModule,
  kubeconfig,
  kubernetesStore,
  openApiPki,
} from '../index.ts'
import type { KubeletAccess } from '../streams/node-places.ts'
import { frozenServer } from './frozen.ts'

/** A running API on a folder. */
export interface ServedApi extends AsyncDisposable {
  readonly directory: string
  readonly url: string
  readonly pki: ApiPki
  /** Path of the administrator's kubeconfig. */
  readonly kubeconfig: string
  local: ApiServer['local']
}

export interface ServeOptions {
  readonly crds?: readonly ApiObject[]
  readonly log?: Logger
  readonly metrics?: Metrics
  readonly history?: number
  readonly mostText?: number
  readonly durability?: 'full' | 'normal'
  readonly audit?: AuditOptions
  /** How long nodes may be silent. */
  readonly nodeGrace?: Duration
  /** Of the API alone; default: the system's. */
  readonly clock?: Clock
  /** Default: any kubelet is believed. */
  readonly authorityAt?: KubeletAccess['authorityAt']
}

/** Serves the API of one folder on a free port of this machine. */
export async function serveApi(directory: string, options: ServeOptions = {}): Promise<ServedApi> {
  const {
    log = silentLogger,
    metrics = silentMetrics,
    crds = [],
    durability = 'normal',
    history,
    mostText,
    audit,
    nodeGrace,
    authorityAt,
    clock = systemClock,
  } = options
  const ground = { clock: systemClock, log }
  const pki = await openApiPki(directory, { names: [], ...ground })
  const store = await openStore(join(directory, 'kubernetes.db'), [kubernetesStore], { ...ground, durability })
  const module = createApiServerModule({
    store,
    host: '127.0.0.1',
    port: 0,
    tls: { certificate: pki.serving.certificate, privateKey: pki.serving.privateKey, clientAuthority: pki.ca },
    crds,
    accountKey: pki.accountKey,
    authority: pki.authority,
    kubelet: { ...pki.kubeletClient, ...(authorityAt ? { authorityAt } : {}) },
    ...ground,
    ...{ clock, random: systemRandom, metrics },
    ...(history === undefined ? {} : { history }),
    ...(mostText === undefined ? {} : { mostText }),
    ...(audit ? { audit } : {}),
    ...(nodeGrace ? { nodeGrace } : {}),
  })
  const scope = createScope(module.name, {
    ...ground,
    deadline: seconds(10),
    onCrash: (error) => log.error('The API crashed', { error }),
  })
  await module.start(scope)
  const file = join(directory, 'kubeconfig')
  const admin = { ca: pki.ca, cert: pki.admin.certificate, key: pki.admin.privateKey }
  await writeFile(file, kubeconfig({ server: module.url, ...admin }), { mode: 0o600 })
  return {
    directory,
    url: module.url,
    pki,
    kubeconfig: file,
    local: (user) => frozenServer(module.local(user)),
    async [Symbol.asyncDispose]() {
      await scope[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

/** What of a test context the helpers need. */
export interface Cleanup {
  after(release: () => Promise<void>): void
}

/** The same on a folder of its own, until the end of the test. */
export async function serveTestApi(t: Cleanup, options: ServeOptions = {}): Promise<ServedApi> {
  const api = await serveApi(temporaryFolder('skerry-api-'), options)
  t.after(async () => api[Symbol.asyncDispose]())
  return api
}
