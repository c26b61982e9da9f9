import { describeError } from '../../../platform/lifecycle/index.ts'
import type { Application, JsonObject } from '../../../schemas/index.ts'
import type { NodePeer } from '../cloudhub/delivery.ts'
import type { ApiRequest } from './api-request.ts'
import { callerOf } from './caller.ts'
import { OriginalListener, type OriginalListenerPorts } from './original-listener.ts'
import { SkerryWatch } from './skerry-watch.ts'
import { failure, statusOfError } from './status.ts'

interface Watched {
  readonly node: string
  /** Of a Skerry edge: the session that it ends with. */
  readonly session: string | undefined
  readonly stop: AbortController
  readonly listener?: OriginalListener
}

const MOST_OF_A_NODE = 64
const MOST = 20_000

/** Watches of all nodes: bounded, each until its edge, its token or its rights end. */
export class Watches {
  readonly #ports: OriginalListenerPorts
  readonly #signal: AbortSignal
  /** By node and id. */
  readonly #watches = new Map<string, Watched>()
  readonly #perNode = new Map<string, number>()

  constructor(ports: OriginalListenerPorts, signal: AbortSignal) {
    this.#ports = ports
    this.#signal = signal
  }

  get size(): number {
    return this.#watches.size
  }

  /** Settles when the API has said yes (nothing), or no. */
  async begin(application: Application, peer: NodePeer, asked: ApiRequest): Promise<JsonObject | undefined> {
    const id = idOf(application, peer)
    const key = `${peer.node} ${id}`
    if (id === '') return failure(400, 'the watch has no id')
    if (this.#watches.has(key)) return peer.skerry ? failure(409, 'there is such a watch already') : undefined
    if ((this.#perNode.get(peer.node) ?? 0) >= MOST_OF_A_NODE || this.#watches.size >= MOST) {
      return failure(429, `a node has at most ${MOST_OF_A_NODE} watches`)
    }
    const stop = new AbortController()
    const signal = AbortSignal.any([this.#signal, stop.signal])
    const begun = Promise.withResolvers<JsonObject | undefined>()
    const onBegun = () => begun.resolve(undefined)
    const listener = peer.skerry ? undefined : new OriginalListener(this.#ports, peer.node, asked)
    const running = listener
      ? listener.run(onBegun, signal)
      : new SkerryWatch(this.#ports, { node: peer.node, caller: callerOf(application, peer) }, asked, id).run(
          onBegun,
          signal,
        )
    const watched = { node: peer.node, session: peer.skerry ? peer.session : undefined, stop }
    this.#add(key, { ...watched, ...(listener ? { listener } : {}) })
    void running
      .then(begun.resolve, (error: unknown) => {
        begun.resolve(statusOfError(error))
        this.#ports.log.debug('A watch of a node ended', { node: peer.node, error: describeError(error) })
      })
      .finally(() => this.#remove(key))
    return begun.promise
  }

  /** What the edge does not name any more ends. The ids that are not here. */
  keep(peer: NodePeer, ids: ReadonlySet<string>): readonly string[] {
    const present = new Set<string>()
    for (const [key, { node, stop }] of this.#watches) {
      if (node !== peer.node) continue
      const id = key.slice(node.length + 1)
      if (ids.has(id)) present.add(id)
      else stop.abort(new Error('the edge has no such watch any more'))
    }
    return [...ids].filter((id) => !present.has(id))
  }

  connection({ node, session, skerry }: NodePeer, isConnected: boolean): void {
    for (const watched of this.#watches.values()) {
      if (watched.node !== node) continue
      const isOver = watched.session !== undefined ? !isConnected || watched.session !== session : isConnected && skerry
      if (isOver) watched.stop.abort(new Error('the session of the node is over'))
      else if (isConnected) watched.listener?.connected()
    }
  }

  /** The node is gone. */
  forget(node: string): void {
    for (const watched of this.#watches.values()) {
      if (watched.node === node) watched.stop.abort(new Error('the node was deleted'))
    }
  }

  #add(key: string, watched: Watched): void {
    this.#watches.set(key, watched)
    this.#perNode.set(watched.node, (this.#perNode.get(watched.node) ?? 0) + 1)
  }

  #remove(key: string): void {
    const watched = this.#watches.get(key)
    if (!watched) return
    this.#watches.delete(key)
    const left = (this.#perNode.get(watched.node) ?? 1) - 1
    if (left > 0) this.#perNode.set(watched.node, left)
    else this.#perNode.delete(watched.node)
  }
}

/** How an edge names one of its watches. */
export function idOf({ ID, skerry }: Application, peer: NodePeer): string {
  return (peer.skerry ? skerry?.watch : ID) ?? ''
}
