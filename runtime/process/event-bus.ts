import { join } from 'node:path'
import type { LocalBroker } from '../../mappers/contract/index.ts'
import type { Bus, EventBus } from '../../platform/bus/index.ts'
import {
  type Accounts,
  bothBrokers,
  createEmbeddedBroker,
  createExternalBroker,
  createInnerAccount,
  type EmbeddedBroker,
  type InnerAccount,
} from '../../platform/bus/mqtt/index.ts'
import type { Module } from '../../platform/lifecycle/index.ts'
import { systemClock as clock, systemRandom as random } from '../../platform/time/index.ts'
import type { EdgeConfig, Endpoints, MqttConfig } from '../../schemas/config/index.ts'
import { parseDuration } from './duration-text.ts'
import type { Ground } from './host.ts'
import { PodBroker, refusePods } from './pods/pod-broker.ts'

/** EventBus as the configuration wants it, and the modules that carry it. */
export interface ComposedEventBus {
  readonly eventBus: EventBus
  readonly modules: readonly Module[]
  /** Of pods, where there are any. */
  readonly accounts?: Accounts | undefined
  endpoints(): Endpoints
  /** Where mappers find the broker of this node, and as whom. Secrets are in memory, or in files that the configuration names. */
  brokerForMappers(): LocalBroker
}

/** For a node that runs pods. */
export interface PodsOfNode {
  readonly bus: Bus
  /** By which they reach the node. */
  readonly address: string
}

export function composeEventBus(
  edge: EdgeConfig,
  ground: Omit<Ground, 'states'>,
  podsOfNode?: PodsOfNode,
): ComposedEventBus {
  const { mqtt: config, store } = edge
  const nodeName = edge.node.name
  const { directory, log, metrics } = ground
  const inner = createInnerAccount()
  const folder = join(directory, 'mqtt')
  if (config.mode === 'external' && podsOfNode) refusePods(podsOfNode.bus)
  const embedded = () => {
    const pods =
      podsOfNode && new PodBroker({ ...podsOfNode, folder, nearHost: nearHost(config.host), broker: () => broker, log })
    const accounts = pods?.brokerOptions.accounts
    const broker: EmbeddedBroker = createEmbeddedBroker({
      ...{ ...config, port: embeddedPortOf(config), clock, log, metrics },
      ...{ file: join(directory, 'mqtt.db'), durability: store.durability, folder, inner },
      ...pods?.brokerOptions,
      limits: sessionLimits(config),
    })
    return { broker, accounts }
  }
  const external = (name: string) => {
    const { subscribeClientId, publishClientId, plainView, ...address } = config.external
    const { maxPacketBytes } = config
    return createExternalBroker({
      ...{ name, nodeName, address, subscribeClientId, publishClientId, plainView, maxPacketBytes },
      ...{ clock, random, log, metrics },
    })
  }
  const { url } = config.external
  switch (config.mode) {
    case 'internal': {
      const { broker, accounts } = embedded()
      const endpoints = () => embeddedEndpoints(config, broker.ports)
      const brokerForMappers = () => embeddedForMappers(config, broker.ports, inner)
      return { eventBus: broker.eventBus, modules: [broker], accounts, endpoints, brokerForMappers }
    }
    case 'external': {
      const broker = external('EventBus')
      const { subscribeClientId: _s, publishClientId: _p, plainView: _v, ...brokerForMappers } = config.external
      return {
        ...{ eventBus: broker.eventBus, modules: [broker] },
        endpoints: () => ({ mqtt: url, mqttExternal: url }),
        brokerForMappers: () => brokerForMappers,
      }
    }
    case 'both': {
      const { broker: innermost, accounts } = embedded()
      const outer = external('ExternalBroker')
      const endpoints = () => ({ ...embeddedEndpoints(config, innermost.ports), mqttExternal: url })
      const eventBus = bothBrokers(innermost.eventBus, outer.eventBus, log)
      const brokerForMappers = () => embeddedForMappers(config, innermost.ports, inner)
      return { eventBus, modules: [innermost, outer], accounts, endpoints, brokerForMappers }
    }
  }
}

function sessionLimits({ maxInflight, maxSubscriptions, sessions }: MqttConfig) {
  return { ...sessions, maxInflight, maxSubscriptions, expireAfter: parseDuration(sessions.expireAfter) }
}

/** Where the listeners of the broker are; those that are off are absent. */
function embeddedEndpoints({ host, tls, websocket }: MqttConfig, ports: EmbeddedBroker['ports']): Endpoints {
  const at = (name: string, port: number) => `${name.includes(':') ? `[${name}]` : name}:${port}`
  return {
    mqtt: `mqtt://${at(host, ports.tcp)}`,
    ...(tls && ports.tls !== undefined ? { mqtts: `mqtts://${at(tls.host, ports.tls)}` } : {}),
    ...(websocket && ports.websocket !== undefined
      ? { mqttWebsocket: `${websocket.tls ? 'wss' : 'ws'}://${at(websocket.host, ports.websocket)}/mqtt` }
      : {}),
  }
}

/** From this machine, whatever address it listens on. */
function embeddedForMappers({ host }: MqttConfig, { tcp }: EmbeddedBroker['ports'], inner: InnerAccount) {
  const near = nearHost(host)
  return {
    url: `mqtt://${near.includes(':') ? `[${near}]` : near}:${tcp}`,
    username: inner.user,
    password: inner.password,
  }
}

function nearHost(host: string): string {
  return { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host
}

/** The port of the embedded broker: KubeEdge's in each mode. */
export function embeddedPortOf({ mode, port }: MqttConfig): number {
  return port ?? (mode === 'both' ? 1884 : 1883)
}
