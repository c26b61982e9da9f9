import {
  type Frame,
  type FrameRoute,
  GROUPS,
  type Json,
  type JsonObject,
  MODULES,
  OPERATIONS,
} from '../../../schemas/index.ts'
import type { FrameFactory } from '../../link/index.ts'
import { isObject, objectIn, textIn } from '../json.ts'

/** What an API said: the object, or the reason of its Status. */
export type Answer = { readonly object: JsonObject } | { readonly err: string }

export interface NodeApiPorts {
  readonly frames: FrameFactory
  /** Sends a request and gives the content of its answer. */
  readonly ask: (frame: Frame) => Promise<Json>
}

/** Node and Lease of one name, over the messages of a kubelet. Rejects where no answer comes. */
export class NodeApi {
  readonly #name: string
  readonly #ports: NodeApiPorts

  constructor(name: string, ports: NodeApiPorts) {
    this.#name = name
    this.#ports = ports
  }

  insertNode(node: JsonObject): Promise<Answer> {
    return this.#answer(OPERATIONS.insert, `null/node/${this.#name}`, node)
  }

  /** Labels and annotations are merged into the Node that is there. */
  async updateNode(node: JsonObject): Promise<void> {
    await this.#ask(OPERATIONS.update, `null/node/${this.#name}`, node)
  }

  /** The patch travels as a text, as a kubelet makes it. Gives the Node. */
  patchStatus(status: JsonObject): Promise<Answer> {
    return this.#answer(OPERATIONS.patch, `null/nodepatch/${this.#name}`, JSON.stringify({ status }))
  }

  queryLease(): Promise<Answer> {
    return this.#answer(OPERATIONS.query, this.#lease, null)
  }

  insertLease(lease: JsonObject): Promise<Answer> {
    return this.#answer(OPERATIONS.insert, this.#lease, lease)
  }

  updateLease(lease: JsonObject): Promise<Answer> {
    return this.#answer(OPERATIONS.update, this.#lease, lease)
  }

  get #lease(): string {
    return `kube-node-lease/lease/${this.#name}`
  }

  async #ask(operation: string, resource: string, content: Json): Promise<Json> {
    const route: FrameRoute = { source: MODULES.edged, group: GROUPS.meta, operation, resource }
    return this.#ports.ask(this.#ports.frames.make(route, content))
  }

  /** Answers have the form {Object, Err}. */
  async #answer(operation: string, resource: string, content: Json): Promise<Answer> {
    const answer = await this.#ask(operation, resource, content)
    if (!isObject(answer)) throw new Error('the answer has an unknown form')
    const { Object: object, Err: err } = answer
    if (err === null || err === undefined) return { object: isObject(object) ? object : {} }
    return { err: textIn(objectIn(isObject(err) ? err : undefined, 'ErrStatus'), 'reason') ?? 'Unknown' }
  }
}
