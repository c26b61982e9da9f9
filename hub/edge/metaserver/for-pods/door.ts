import { join } from 'node:path'
import { type HttpsServer, KeptPort, type OnRefused, serveHttps } from '../../../../platform/http/index.ts'
import type { Scope } from '../../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../../platform/log/index.ts'
import { type Clock, seconds } from '../../../../platform/time/index.ts'
import type { Identity } from '../../../serving/access/stored-identity.ts'
import type { Exchange } from '../../../serving/answers/answer.ts'
import { serveUpgrades } from '../../../serving/http/serve-upgrades.ts'

export interface DoorOptions {
  readonly host: string
  /** Taken where it is free. */
  readonly port: number
  /** Its port is kept in it: containers that run on over a restart have it in their environment. */
  readonly folder: string
  readonly name: string
  readonly answer: (exchange: Exchange, signal: AbortSignal) => Promise<void>
  readonly onRefused: OnRefused
  readonly clock: Clock
  readonly log: Logger
}

/** More are closed at once; clients of the loopback have others. */
const MOST_CONNECTIONS = 256

/** Where pods come in: HTTPS for bearer tokens alone. */
export class Door {
  readonly #options: DoorOptions
  readonly #port: KeptPort
  readonly #scope: Scope
  #opening: Promise<HttpsServer> | undefined

  constructor(options: DoorOptions, scope: Scope) {
    this.#options = options
    this.#scope = scope
    this.#port = new KeptPort(join(options.folder, `${options.name}-port`))
  }

  /** It was open before a restart. */
  async wasOpen(): Promise<boolean> {
    return (await this.#port.read()) > 0
  }

  /** Its port. Rejects where none can be had. */
  async open(identity: Identity): Promise<number> {
    this.#opening ??= this.#listen(identity)
    try {
      return (await this.#opening).port
    } catch (error) {
      this.#opening = undefined
      throw error
    }
  }

  async renew(identity: Identity): Promise<void> {
    const server = await this.#opening?.catch(() => undefined)
    server?.renew(contextOf(identity))
  }

  async #listen(identity: Identity): Promise<HttpsServer> {
    const { host, port, log } = this.#options
    const remembered = await this.#port.read()
    const server = await this.#port.open(port, (wanted) => this.#serve(host, wanted, identity))
    this.#scope.defer(() => server.close(seconds(2)))
    serveUpgrades(server.server, this.#options.answer, { log, signal: this.#scope.signal })
    if (remembered > 0 && server.port !== remembered) {
      log.warn('Pods that run on do not find MetaServer: another program has its port', { host, port: remembered })
    }
    log.info('MetaServer listens for pods', { url: server.url })
    return server
  }

  #serve(host: string, port: number, identity: Identity): Promise<HttpsServer> {
    const { answer, log, clock, onRefused } = this.#options
    return serveHttps({
      at: { host, port },
      async handler(request, response, signal) {
        await answer({ request, response }, signal)
      },
      ...{ log, clock, maxConnections: MOST_CONNECTIONS, onRefused },
      // No client certificate counts here.
      tls: { ...contextOf(identity), ALPNProtocols: ['http/1.1'] },
    })
  }
}

function contextOf({ certificate, privateKey }: Identity) {
  return { cert: certificate, key: privateKey }
}
