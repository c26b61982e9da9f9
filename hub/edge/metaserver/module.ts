import type { Socket } from 'node:net'
import { countRefusals, type HttpsServer, keepListening, serveHttps } from '../../../platform/http/index.ts'
import type { Module, Scope } from '../../../platform/lifecycle/index.ts'
import { serveUpgrades } from '../../serving/http/serve-upgrades.ts'
import { createPodsEntrance } from './for-pods/pods-entrance.ts'
import type { MetaServerPorts, MetaServerSettings } from './metaserver-ports.ts'
import type { Serving } from './serve.ts'

export interface MetaServer extends Module {
  /** Undefined until it listens. */
  readonly url: string | undefined
}

/** More are closed at once. */
const MOST_CONNECTIONS = 256

/**
 * MetaServer: the Kubernetes API of this node, on the node. It listens from the start, and the rest is loaded when the first client
 * comes: most gateways have none.
 */
export function createMetaServerModule(ports: MetaServerPorts, settings: MetaServerSettings): MetaServer {
  const { clock, random, log } = ports
  const state: { url: string | undefined; open?: () => Promise<Serving> } = { url: undefined }
  const { folder, port, pods } = settings
  const entrance =
    pods &&
    createPodsEntrance(ports, {
      ...{ folder, port, network: pods },
      async answer(exchange, signal) {
        await (await state.open?.())?.answerPod(exchange, signal)
      },
    })
  return {
    name: 'MetaServer',
    get url() {
      return state.url
    },
    async start(scope: Scope) {
      const { host } = settings
      const options = { ...settings, address: () => (state.url ?? '').replace('https://', '') }
      const opening: { serving?: Promise<Serving> } = {}
      const open = (): Promise<Serving> => {
        opening.serving ??= import('./serve.ts').then(({ openServing }) => openServing(ports, options, scope))
        return opening.serving
      }
      state.open = open
      const secured = new WeakSet<Serving>()
      let listening: HttpsServer | undefined
      const serve = () =>
        serveHttps({
          at: { host, port },
          async handler(request, response, signal) {
            // Watches end at once, so that a stop does not wait for them.
            await (await open()).answer({ request, response }, AbortSignal.any([signal, scope.signal]))
          },
          ...{ log, clock, maxConnections: MOST_CONNECTIONS, onRefused: countRefusals(ports.metrics, 'metaserver') },
          // Clients without a certificate may have a token, or ask for health.
          tls: { requestCert: true, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] },
          admit: (socket: Socket, begin) => {
            open().then(
              (serving) => {
                if (!secured.has(serving)) listening?.renew(serving.tls)
                secured.add(serving)
                begin()
              },
              (error: unknown) => {
                // The next client tries again.
                delete opening.serving
                log.error('MetaServer cannot serve', { error })
                socket.destroy()
              },
            )
          },
        })
      const onListening = (server: HttpsServer) => {
        listening = server
        state.url = server.url
        serveUpgrades(server.server, async (exchange, signal) => await (await open()).answer(exchange, signal), {
          ...{ log, signal: scope.signal },
        })
        log.info('MetaServer listens', { url: server.url })
      }
      const trouble = 'MetaServer cannot listen for clients of this machine'
      await keepListening({ trouble, port, open: serve, onListening, clock, random, log }, scope)
      await entrance?.start(scope)
    },
  }
}
