import type { Bus } from '../../platform/bus/index.ts'
import { type HttpServer, KeptPort } from '../../platform/http/index.ts'
import { describeError, type Scope } from '../../platform/lifecycle/index.ts'
import type { Logger } from '../../platform/log/index.ts'
import { seconds } from '../../platform/time/index.ts'
import { type HttpForPods, httpForPods, mqttAccounts } from '../../schemas/index.ts'

/** How pods reach this node. */
export interface PodsNetwork {
  readonly address: string
  /** Sees to it that this machine has the address; `refusal`: why it cannot, for people. */
  open(address: string): Promise<{ readonly address: string } | { readonly refusal: string }>
  /** The port for pods is kept in it: containers that run on over a restart have it in their environment. */
  readonly portFile: string
}

export interface PodsDoorOptions {
  readonly network: PodsNetwork
  /** Taken where it is free. */
  readonly port: number
  /** Where pods on the network of the node come in; undefined while nothing listens there. */
  readonly near: () => { readonly host: string; readonly port: number } | undefined
  readonly bus: Bus
  readonly log: Logger
}

type Listen = (at: { readonly host: string; readonly port: number }) => Promise<HttpServer>

/** Where pods come in: the address is made, and listened on, when the first of them asks. */
export interface PodsDoor {
  /** Opens where pods of before come back to. */
  start(listen: Listen, scope: Scope): Promise<void>
}

/** Answers on the bus where pods find the local HTTP API, from now on; questions wait for the start. */
export function createPodsDoor(options: PodsDoorOptions): PodsDoor {
  const { bus, near, port } = options
  let started = Promise.withResolvers<OpenDoor>()
  bus.serve(httpForPods, async ({ network }): Promise<HttpForPods> => {
    const door = await started.promise
    if (network === 'pod') return door.place()
    return near() ?? { refusal: `the local HTTP API does not listen: another program has port ${port}` }
  })
  return {
    async start(listen, scope) {
      const door = new OpenDoor(options, listen, scope)
      scope.defer(() => {
        started = Promise.withResolvers()
      })
      await door.reopen()
      started.resolve(door)
    },
  }
}

class OpenDoor {
  readonly #options: PodsDoorOptions
  readonly #listen: Listen
  readonly #port: KeptPort
  readonly #scope: Scope
  #opening: Promise<HttpForPods> | undefined

  constructor(options: PodsDoorOptions, listen: Listen, scope: Scope) {
    this.#options = options
    this.#listen = listen
    this.#scope = scope
    this.#port = new KeptPort(options.network.portFile)
  }

  async reopen(): Promise<void> {
    const isAwaited = this.#options.bus.list(mqttAccounts).size > 0 && (await this.#port.read()) > 0
    if (isAwaited) await this.place()
  }

  async place(): Promise<HttpForPods> {
    const opening = this.#opening ?? this.#open()
    this.#opening = opening
    const place = await opening
    // Somebody may add the address meanwhile.
    if ('refusal' in place && this.#opening === opening) this.#opening = undefined
    return place
  }

  async #open(): Promise<HttpForPods> {
    const { network, log, port } = this.#options
    try {
      const before = await this.#port.read()
      const found = await network.open(network.address)
      if ('refusal' in found) return this.#refuse(found.refusal)
      const host = found.address
      const server = await this.#port.open(port, (wanted) => this.#listen({ host, port: wanted }))
      this.#scope.defer(() => server.close(seconds(2)))
      if (before > 0 && server.port !== before) {
        const fields = { host, port: before }
        log.warn('Pods that run on do not find the local HTTP API: another program has its port', fields)
      }
      log.info('The local HTTP API listens for pods', { url: server.url })
      return { host, port: server.port }
    } catch (error) {
      return this.#refuse(`the local HTTP API cannot listen for pods: ${describeError(error)}`)
    }
  }

  #refuse(refusal: string): HttpForPods {
    this.#options.log.warn('Pods do not find the local HTTP API', { reason: refusal })
    return { refusal }
  }
}
