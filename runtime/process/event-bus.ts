import { join } from 'node:path'
import type { EventBus } from '../../platform/bus/index.ts'
import {
  bothBrokers,
  createEmbeddedBroker,
  createExternalBroker,
  type EmbeddedBroker,
} from '../../platform/bus/mqtt/index.ts'
import type { Module } from '../../platform/lifecycle/index.ts'
import { systemClock as clock, systemRandom as random } from '../../platform/time/index.ts'
import type { EdgeConfig, Endpoints, MqttConfig } from '../../schemas/config/index.ts'
import { parseDuration } from './duration-text.ts'
import type { Ground } from './host.ts'

/** EventBus as the configuration wants it, and the modules that carry it. */
export interface ComposedEventBus {
  readonly eventBus: EventBus
  readonly modules: readonly Module[]
  endpoints(): Endpoints
}

export function composeEventBus(edge: EdgeConfig, ground: Ground): ComposedEventBus {
  const { mqtt: config, store } = edge
  const nodeName = edge.node.name
  const { directory, log, metrics } = ground
  const embedded = () =>
    createEmbeddedBroker({
      ...{ ...config, port: embeddedPortOf(config), clock, log, metrics },
      ...{ file: join(directory, 'mqtt.db'), durability: store.durability, folder: join(directory, 'mqtt') },
      limits: sessionLimits(config),
    })
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
      const broker = embedded()
      const endpoints = () => embeddedEndpoints(config, broker.ports)
      return { eventBus: broker.eventBus, modules: [broker], endpoints }
    }
    case 'external': {
      const broker = external('EventBus')
      return { eventBus: broker.eventBus, modules: [broker], endpoints: () => ({ mqtt: url, mqttExternal: url }) }
    }
    case 'both': {
      const [inner, outer] = [embedded(), external('ExternalBroker')]
      const endpoints = () => ({ ...embeddedEndpoints(config, inner.ports), mqttExternal: url })
      return { eventBus: bothBrokers(inner.eventBus, outer.eventBus, log), modules: [inner, outer], endpoints }
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

/** The port of the embedded broker: KubeEdge's in each mode. */
export function embeddedPortOf({ mode, port }: MqttConfig): number {
  return port ?? (mode === 'both' ? 1884 : 1883)
}
