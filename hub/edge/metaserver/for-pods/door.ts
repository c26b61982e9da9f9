import { join } from 'node:path'
import { readFileIfPresent, writeFileAtomic } from '../../../../platform/files/index.ts'
import { type HttpsServer, type OnRefused, serveHttps } from '../../../../platform/http/index.ts'
import { describeError, RefusedError, type Scope } from '../../../../platform/lifecycle/index.ts'
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
  readonly #file: string
  readonly #scope: Scope
  #opening: Promise<HttpsServer> | undefined

  constructor(options: DoorOptions, scope: Scope) {
    this.#options = options
    this.#scope = scope
    this.#file = join(options.folder, `${options.name}-port`)
  }

  /** It was open before a restart. */
  async wasOpen(): Promise<boolean> {
    return (await this.#remembered()) > 0
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
    const remembered = await this.#remembered()
    const server = await this.#firstFree(remembered > 0 ? [remembered, port, 0] : [port, 0], identity)
    this.#scope.defer(() => server.close(seconds(2)))
    serveUpgrades(server.server, this.#options.answer, { log, signal: this.#scope.signal })
    if (server.port !== remembered) await writeFileAtomic(this.#file, `${server.port}\n`, 0o600)
    if (remembered > 0 && server.port !== remembered) {
      log.warn('Pods that run on do not find MetaServer: another program has its port', { host, port: remembered })
    }
    log.info('MetaServer listens for pods', { url: server.url })
    return server
  }

  async #firstFree([port = 0, ...others]: readonly number[], identity: Identity): Promise<HttpsServer> {
    const { host, answer, log, clock, onRefused } = this.#options
    try {
      return await serveHttps({
        at: { host, port },
        async handler(request, response, signal) {
          await answer({ request, response }, signal)
        },
        ...{ log, clock, maxConnections: MOST_CONNECTIONS, onRefused },
        // No client certificate counts here.
        tls: { ...contextOf(identity), ALPNProtocols: ['http/1.1'] },
      })
    } catch (error) {
      const isTaken = error instanceof RefusedError && error.code === 'PLATFORM_PORT_TAKEN'
      if (!isTaken || others.length === 0) throw error
      log.debug('A port for pods is taken', { host, port, error: describeError(error) })
      return await this.#firstFree(others, identity)
    }
  }

  async #remembered(): Promise<number> {
    const port = Number(await readFileIfPresent(this.#file))
    return Number.isInteger(port) && port > 0 && port < 65_536 ? port : 0
  }
}

function contextOf({ certificate, privateKey }: Identity) {
  return { cert: certificate, key: privateKey }
}
