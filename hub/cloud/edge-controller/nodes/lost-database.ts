import type { Logger } from '../../../../platform/log/index.ts'
import { type Frame, NO_NAMESPACE, OPERATIONS } from '../../../../schemas/index.ts'
import type { CloudHub, Upstream } from '../../cloudhub/delivery.ts'
import { isRecord } from '../../kubernetes/guards.ts'

/**
 * An original edge does not say which database it has. But its kubelet registers the Node once in its life, and when it hears that
 * the Node is there already, it goes on with the Node in its database, which it was sent before. A kubelet that registers again in
 * the same session has none there: its database is new, and what was acknowledged before counts for nothing.
 */
export class LostDatabases implements Disposable {
  readonly #hub: CloudHub
  readonly #log: Logger
  /** By node: the session, and how often it heard that its Node is there already. */
  readonly #told = new Map<string, { readonly session: string; times: number }>()
  readonly #subscription: Disposable

  constructor({ hub, log }: { readonly hub: CloudHub; readonly log: Logger }) {
    this.#hub = hub
    this.#log = log
    this.#subscription = hub.onConnection(({ node }, connected) => !connected && this.#told.delete(node))
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]()
  }

  /** The same request, with an eye on its answer. */
  watched(upstream: Upstream): Upstream {
    const { peer, frame } = upstream
    if (peer.skerry || !isRegistration(peer.node, frame)) return upstream
    return {
      ...upstream,
      reply: (answer) => {
        upstream.reply(answer)
        if (isKnownAlready(answer)) this.#heard(peer.node, peer.session)
      },
    }
  }

  #heard(node: string, session: string): void {
    const known = this.#told.get(node)
    const told = known?.session === session ? known : { session, times: 0 }
    told.times++
    this.#told.set(node, told)
    if (told.times !== 2) return
    this.#log.warn('A node has lost its database: it is sent everything again', { node })
    this.#hub.resync(node)
  }
}

function isRegistration(node: string, { route }: Frame): boolean {
  return route.operation === OPERATIONS.insert && route.resource === `${NO_NAMESPACE}/node/${node}`
}

function isKnownAlready({ content }: Frame): boolean {
  const failure = isRecord(content) ? content['Err'] : undefined
  const status = isRecord(failure) ? failure['ErrStatus'] : undefined
  return isRecord(status) && status['reason'] === 'AlreadyExists'
}
