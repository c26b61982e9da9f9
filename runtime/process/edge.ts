import {
  createEdgeHub,
  createMetaManager,
  createNodeSelf,
  createRotationModule,
  identityFiles,
  type Rotation,
  readIdentity,
  renewingDialer,
  type ServiceBus,
  UserUplink,
} from '../../hub/edge/index.ts'
import { createFrameFactory, createWebSocketDialer } from '../../hub/link/index.ts'
import { createDeviceMethodsModule, createMapperHostModule } from '../../mappers/host/index.ts'
import { createLocalBus } from '../../platform/bus/index.ts'
import { systemClock as clock, systemRandom as random, seconds } from '../../platform/time/index.ts'
import type { EdgeConfig, Endpoints } from '../../schemas/config/index.ts'
import { mappersLoaded } from '../../schemas/index.ts'
import { createDeviceTwinModule } from '../../twin/index.ts'
import { openEdgeStore } from './edge-store.ts'
import { composeEdgeStream } from './edge-stream.ts'
import { type ComposedEdged, composeEdged } from './edged.ts'
import { composeEventBus } from './event-bus.ts'
import type { Composition, Ground } from './host.ts'
import { composeLocalApi } from './local-api.ts'
import { mapperSettings } from './mapper-settings.ts'
import { composeMetaServer } from './metaserver.ts'
import { nodeHealth } from './node-health.ts'
import { composeServiceBus } from './service-bus.ts'
import { twinLimits } from './twin-limits.ts'
import { version } from './version.ts'

/** The edge half: what it is made of, and what each part is given. */
export async function composeEdge(config: EdgeConfig, ground: Ground): Promise<Composition> {
  const { directory, log, metrics } = ground
  const nodeName = config.node.name
  const limits = twinLimits(config)
  const files = identityFiles(directory, config.certificates)
  // A node without its identity is told so before anything starts.
  await readIdentity(files, nodeName)
  const { store, entry } = await openEdgeStore(config.store, ground)
  const bus = createLocalBus(clock, log)
  const frames = createFrameFactory({ clock, random })
  const pods = config.edged.enabled ? await composeEdged(config, bus, ground) : undefined
  const podsOfNode = pods && { bus, address: config.edged.twins.address }
  const mqtt = composeEventBus(config, ground, podsOfNode)
  const { eventBus } = mqtt
  const twin = createDeviceTwinModule({ store, bus, eventBus, nodeName, limits, clock, random, log, metrics })
  const mapperHost = createMapperHostModule({
    ...mapperSettings(config, directory),
    ...{ bus, clock, random, log, metrics },
    broker: mqtt.brokerForMappers,
  })
  const methods = createDeviceMethodsModule({ bus, eventBus, clock, log, metrics })
  const localApi = composeLocalApi(config, bus, ground, mqtt.accounts, podsOfNode)
  const { server, certificates, projectId, maxFrameBytes, silenceSeconds, objects, userMessages } = config.cloud
  const meta = createMetaManager({ store, bus, frames, nodeName, clock, log, metrics, limits: objects })
  const userUplink = new UserUplink({
    ...{ store, bus, eventBus, frames, nodeName },
    limits: userMessages,
    ...{ clock, random, log, metrics },
  })
  const path = `/${projectId}/${nodeName}/events`
  const onRotated = () => {
    edgeHub.reconnect('the certificate was renewed')
    edgeStream.renew()
  }
  const rotation: Rotation = createRotationModule({
    address: certificates,
    nodeName,
    files,
    clock,
    random,
    log,
    onRotated,
  })
  const { identity } = rotation
  const edgeStream = composeEdgeStream(config, { rotation: () => rotation, edged: pods?.edged }, ground)
  const ways = { store, bus, frames, tunnel: edgeStream.targets, accounts: mqtt.accounts }
  const serviceBus = composeServiceBus(config, ways, ground)
  const direct = createWebSocketDialer({
    ...{ server, path, identity, clock, log },
    largestFrame: maxFrameBytes,
    deadAfter: seconds(silenceSeconds),
  })
  const dialer = edgeStream.hearing(renewingDialer(direct, rotation))
  const node = createNodeSelf({
    ...{ bus, clock, directory, health: () => nodeHealth(ground.states()) },
    extras: { labels: config.node.labels, taints: config.node.taints },
    thresholds: config.node.pressure,
    lease: seconds(config.node.leaseSeconds),
    ...(config.node.address === undefined ? {} : { address: config.node.address }),
  })
  const edgeHub = createEdgeHub({
    ...{ node, dialer, meta, frames, bus, store, nodeName, projectId, version, userUplink, serviceBus },
    incarnation: store.incarnation,
    keepsServices: config.metaServer.enabled && config.metaServer.services,
    longestPause: seconds(config.cloud.retrySeconds),
    ...{ clock, random, log, metrics },
  })
  const { applications } = edgeHub
  const metaServer = composeMetaServer(
    config,
    { store, meta, bus, applications, node, edged: () => pods?.edged.socket() },
    ground,
  )
  // Clients come in after those who answer them, and leave before they end: a receipt without them would be a lie.
  const [access, edged] = pods ? [[pods.access], [pods.edged]] : [[], []]
  const modules = [
    twin,
    userUplink,
    serviceBus,
    methods,
    ...access,
    ...mqtt.modules,
    ...localApi.modules,
    mapperHost,
    meta,
    ...edged,
    edgeStream,
    edgeHub,
    ...metaServer.modules,
    rotation,
  ]
  return {
    modules: [entry, ...modules.map((module) => ({ module }))],
    endpoints: () => ({
      ...mqtt.endpoints(),
      ...localApi.endpoints(),
      ...serviceBusOf(serviceBus),
      ...metaServer.endpoints(),
      ...socketOf(pods),
    }),
    links: () => ({ road: { cloud: server, ...edgeHub.status(), tunnel: edgeStream.status() } }),
    routes: {
      'GET /mappers': async () => [...bus.list(mappersLoaded).values()],
      'GET /road': async () => edgeHub.status(),
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

function serviceBusOf({ url }: ServiceBus): Pick<Endpoints, 'servicebus'> {
  return url === undefined ? {} : { servicebus: url }
}

function socketOf(pods: ComposedEdged | undefined): Pick<Endpoints, 'edged'> {
  const edged = pods?.edged.socket()
  return edged === undefined ? {} : { edged }
}
