import { type HttpServer, keepListening } from '../../platform/http/index.ts'
import type { Module } from '../../platform/lifecycle/index.ts'
import type { LocalApiOptions } from './options.ts'
import { createPodsDoor } from './pods-door.ts'
import { openServing } from './serving.ts'

export interface LocalApiModule extends Module {
  /** Undefined until it listens. */
  readonly url: string | undefined
}

/**
 * LocalApi: twins and methods of this node over HTTP, for programs without MQTT. A caller may do what he may on MQTT. There is
 * a door on the loopback, and one for pods where the node runs any.
 */
export function createLocalApiModule(options: LocalApiOptions): LocalApiModule {
  const { host, port, log, bus, network, clock, random } = options
  let near: HttpServer | undefined
  const podsDoor =
    network && createPodsDoor({ ...{ network, port, bus, log }, near: () => near && { host, port: near.port } })
  return {
    name: 'LocalApi',
    get url() {
      return near?.url
    },
    async start(scope) {
      const listen = openServing(options, scope)
      scope.defer(() => {
        near = undefined
      })
      const open = () => listen('near', { host, port })
      const onListening = (server: HttpServer) => {
        near = server
        log.info('The local HTTP API listens', { url: server.url })
      }
      const trouble = 'The local HTTP API cannot listen'
      await keepListening({ trouble, port, open, onListening, clock, random, log }, scope)
      await podsDoor?.start((at) => listen('pods', at), scope)
    },
  }
}
