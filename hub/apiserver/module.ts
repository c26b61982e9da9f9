import { getHeapStatistics } from 'node:v8'
import type { Metrics } from '../../platform/health/index.ts'
import { countRefusals, serveHttps } from '../../platform/http/index.ts'
import type { Module, Scope } from '../../platform/lifecycle/index.ts'
import type { Logger } from '../../platform/log/index.ts'
import type { Store } from '../../platform/store/index.ts'
import { type Clock, type Duration, type Random, seconds } from '../../platform/time/index.ts'
import { BUILTIN_DEFINITIONS } from '../kube/builtin/index.ts'
import type { ApiObject } from '../kube/resource.ts'
import { firstOf, ISSUER, type TokenAuthenticator } from '../serving/access/authentication.ts'
import { authorizeByRoles } from '../serving/access/authorization.ts'
import { createDescriptions } from '../serving/descriptions/descriptions.ts'
import { createDispatcher, type Dispatcher } from '../serving/http/dispatcher.ts'
import { createAnswerer } from '../serving/http/handler.ts'
import { serveUpgrades } from '../serving/http/serve-upgrades.ts'
import { Registry } from '../serving/objects/registry.ts'
import { countCutOffs } from '../serving/reading/cut-off.ts'
import { STREAM_BOUNDS, StreamRoom } from '../serving/streams/stream-room.ts'
import type { User } from '../serving/user.ts'
import { createRight } from './access/create-right.ts'
import { followPolicy } from './access/follow-policy.ts'
import { installAccess } from './access/install-access.ts'
import { noEscalation } from './access/no-escalation.ts'
import { createReviewer } from './access/reviews.ts'
import { bootstrapAuthenticator } from './accounts/bootstrap-tokens.ts'
import { podAccount } from './accounts/pod-account.ts'
import { admissionChain } from './admission/chain.ts'
import { defaultTolerations } from './admission/default-tolerations.ts'
import { serviceAddresses } from './admission/service-addresses.ts'
import { servicePorts } from './admission/service-ports.ts'
import { webhookAdmitter } from './admission/webhooks.ts'
import { allControllers } from './all-controllers.ts'
import { type AuditOptions, createAuditLog } from './audit/audit-log.ts'
import { certificateAdmission } from './certificates/admission.ts'
import type { Controller } from './controllers/controller.ts'
import { objectConverter } from './crds/conversion.ts'
import { installCrds } from './crds/install.ts'
import { crdController } from './crds/serve-crds.ts'
import { METRICS_GROUP, METRICS_KINDS } from './metrics/metrics-kinds.ts'
import { NodeUses } from './metrics/node-uses.ts'
import { createMetrics } from './metrics/serve-metrics.ts'
import { installNamespaces } from './namespaces.ts'
import { installOwnService } from './own-service.ts'
import { AccountTokens } from './rest/account-tokens.ts'
import type { Admitter, ApiContext } from './rest/context.ts'
import { serveKinds } from './rest/serve-kinds.ts'
import { accountAuthenticator } from './serving/account-authenticator.ts'
import { type LocalServer, localServer } from './serving/local-server.ts'
import { compactOld } from './storage/compaction.ts'
import { ObjectStore } from './storage/object-store.ts'
import { createConnects } from './streams/connects.ts'
import { type KubeletAccess, nodeLocator } from './streams/node-places.ts'

export interface ApiServerOptions {
  /** Opened with the domain `kubernetesStore`; the caller closes it after the module. */
  readonly store: Store
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** PEM: the serving certificate with its key, and the authority whose client certificates are believed. */
  readonly tls: { readonly certificate: string; readonly privateKey: string; readonly clientAuthority: string }
  /** CustomResourceDefinitions that are made or brought up to date at each start. */
  readonly crds: readonly ApiObject[]
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics: Metrics
  /** More admission, before the webhooks. */
  readonly admitters?: readonly Admitter[]
  /** Who a bearer token belongs to, before it is taken for one of a service account or a bootstrap token. */
  readonly tokens?: TokenAuthenticator
  /** PEM: what certificates are signed with that people and kubelets ask for; absent: none are. */
  readonly authority?: { readonly certificate: string; readonly privateKey: string }
  /** What kubelets are shown; absent: nothing goes through the API to a node. */
  readonly kubelet?: KubeletAccess
  /** PEM of the EC key that signs tokens of service accounts; absent: none are issued. */
  readonly accountKey?: string
  /** How long a Node may be silent until nobody knows how it is. Default 40 s. */
  readonly nodeGrace?: Duration
  /** Absent: who did what is recorded nowhere. */
  readonly audit?: AuditOptions
  /** Changes of each resource that a watcher may go back to. */
  readonly history?: number
  /** JSON text of all objects together, in characters. Default: an eighth of the memory that the process may have. */
  readonly mostText?: number
}

export interface ApiServer extends Module {
  /** `https://127.0.0.1:6443`; known once it has started. */
  readonly url: string
  /** The same for somebody in this process, as that user. */
  local(user: User): LocalServer
}

const MOST_CONNECTIONS = 4096
/** Of the memory that the process may have, for the text of all objects: as values they take several times as much. */
const MEMORY_SHARE = 1 / 8

/** The embedded Kubernetes API. Ready when it serves, with its namespaces and CustomResourceDefinitions in place. */
export function createApiServerModule(options: ApiServerOptions): ApiServer {
  let url = `https://${options.host}:${options.port}`
  let serving: Serving | undefined
  return {
    name: 'KubernetesApi',
    get url() {
      return url
    },
    local: (user) => localServer(() => serving, { user, clock: options.clock }),
    async start(scope) {
      const started = await start(options, scope)
      url = started.url
      serving = { dispatch: started.dispatch, signal: scope.signal }
      scope.defer(() => {
        serving = undefined
      })
    },
  }
}

interface Serving {
  readonly dispatch: Dispatcher
  readonly signal: AbortSignal
}

async function start(
  options: ApiServerOptions,
  scope: Scope,
): Promise<{ readonly url: string; readonly dispatch: Dispatcher }> {
  const { clock, random, log, metrics, host, port } = options
  const store = new ObjectStore({
    store: options.store,
    metrics,
    mostText: options.mostText ?? Math.floor(getHeapStatistics().heap_size_limit * MEMORY_SHARE),
    ...(options.history === undefined ? {} : { history: options.history }),
  })
  scope.pending('the objects of its database')
  await store.load()
  const registry = new Registry(BUILTIN_DEFINITIONS)
  registry.setCustom(METRICS_GROUP, METRICS_KINDS)
  const converter = objectConverter({ store, clock, random, metrics })
  const { policy } = scope.use(followPolicy(store))
  const authorize = authorizeByRoles(policy)
  const admitter = admissionChain([
    podAccount(store, random),
    defaultTolerations,
    serviceAddresses({ store, clock, random }),
    servicePorts({ store, clock, random }),
    ...(options.admitters ?? []),
    webhookAdmitter({ store, registry, converter, clock, random, log, metrics }),
    certificateAdmission({ clock, authorize }),
    noEscalation(policy, authorize),
    createRight(authorize),
  ])
  const accounts = options.accountKey === undefined ? undefined : new AccountTokens(options.accountKey, clock)
  const tokens = firstOf([
    ...(options.tokens ? [options.tokens] : []),
    ...(accounts ? [accountAuthenticator(accounts, store, clock)] : []),
    bootstrapAuthenticator(store, clock),
  ])
  const reviews = createReviewer({ policy, authorize, tokens, clock })
  const cutOff = countCutOffs(metrics)
  const shared = { store, registry, admitter, converter, clock, random, log, reviews, cutOff }
  const api: ApiContext = { ...shared, ...(accounts ? { accounts } : {}) }
  run(scope, crdController({ api, metrics }))
  scope.pending('its namespaces, CustomResourceDefinitions and roles')
  await installNamespaces(api, scope.signal)
  await Promise.all([installCrds(api, options.crds, scope.signal), installAccess(api, scope.signal)])
  for (const controller of allControllers(options, { api, metrics }, authorize)) run(scope, controller)
  scope.run((signal) => compactOld(store, clock, signal))
  scope.run(() => untilBroken(store, scope.signal))
  scope.pending(undefined)

  const audit = options.audit && scope.use(createAuditLog(options.audit, { clock, log, metrics }))
  let address = `${host}:${port}`
  const descriptions = createDescriptions({
    ...{ registry, address: () => address },
    ...(accounts ? { issuer: { name: ISSUER, keySet: accounts.keySet() } } : {}),
  })
  const { certificate: cert, privateKey: key, clientAuthority: ca } = options.tls
  const room = new StreamRoom(STREAM_BOUNDS)
  const open = metrics.gauge({ name: 'skerry_api_streams', help: 'Streams through the embedded API to nodes.' })
  const counted = open.follow(() => room.taken)
  scope.defer(() => counted[Symbol.dispose]())
  const locate = nodeLocator(store, options.kubelet ?? { certificate: cert, privateKey: key })
  const connects = createConnects({ store, locate, room, clock, random })
  const dispatch = createDispatcher({
    ...{ descriptions, authorize, tokens, log, clock, random },
    serve: serveKinds(api, { connects, metrics: createMetrics(api, new NodeUses({ locate, clock, log })) }),
    requests: metrics.counter({
      name: 'skerry_api_requests_total',
      help: 'Requests that the embedded API answered.',
      labels: ['verb', 'code'],
    }),
    ...(audit ? { audit } : {}),
  })
  const answer = createAnswerer(dispatch, { clock, cutOff })
  const server = await serveHttps({
    at: { host, port },
    handler: async (request, response, signal) => await answer({ request, response }, signal),
    log,
    clock,
    maxConnections: MOST_CONNECTIONS,
    onRefused: countRefusals(metrics, 'kubernetes-api'),
    // Clients without a certificate may have a token, or ask for the server's health.
    tls: { cert, key, ca, requestCert: true, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] },
  })
  address = `${host}:${server.port}`
  serveUpgrades(server.server, answer, { log, signal: scope.signal })
  await installOwnService(api, server.port, scope.signal)
  // Watches end at once, so that a stop does not wait for them.
  scope.defer(() => server.close(seconds(2)))
  log.info('The Kubernetes API serves', { url: server.url })
  return { url: server.url, dispatch }
}

function run(scope: Scope, controller: Controller): void {
  scope.use(controller.watch())
  scope.run((signal) => controller.run(signal))
}

/** A store that does not know what it wrote is read again by the next start of the module. */
async function untilBroken(store: ObjectStore, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => resolve(), { once: true })
  await Promise.race([store.broken, promise])
}
