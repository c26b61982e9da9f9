import type { Clock, Random } from '../../../platform/time/index.ts'
import { CERTIFICATE_ENDED } from '../../link/index.ts'
import type { CertificateLine, NodeCertificate } from '../authority/node-certificate.ts'
import { lineOf, newLine } from '../authority/node-certificate.ts'
import { SecretTable } from '../authority/secret-table.ts'
import { type AnyObject, type Informer, type Kubernetes, NODES, type Secret } from '../kubernetes/index.ts'
import { isForgettable, isRefused, type NodeEntry, readNodeEntry, revokedAt } from './node-entry.ts'

/** Secret of the namespace of KubeEdge's own; one entry for each node, some hundred bytes long. */
export const NODES_SECRET = 'skerry-nodes'

export interface NodeRegisterPorts {
  readonly kubernetes: Kubernetes
  readonly secret: Informer<Secret>
  readonly nodes: Informer<AnyObject>
  readonly clock: Clock
  readonly random: Random
}

export interface Validity {
  /** Unix ms. */
  readonly issued: number
  readonly expires: number
}

export type Refusal = { readonly ok: false; readonly status: 401 | 403 | 503; readonly reason: string }
export type LineVerdict = { readonly ok: true; readonly line: CertificateLine } | Refusal

/** One node, for people. */
export interface NodeStanding {
  readonly name: string
  readonly isConnected: boolean
  readonly isRegistered: boolean
  readonly expires?: number
  /** Nobody is admitted under this name since then (Unix ms). */
  readonly revokedSince?: number
}

interface Held {
  readonly certificate: NodeCertificate
  readonly end: (reason: string) => void
}

const REVOKED =
  'the node was revoked: join again with a new token (skerry join --force), or let it in (skerry node allow)'
const SETTLING = 'the Node was just deleted: try again in a moment'
const NOT_OPEN = 'the register of nodes is not read yet: try again in a moment'

/**
 * Which nodes are admitted: kept in the API, so that it holds for all replicas, after a restart, and together with the Nodes of a
 * restored backup. A revoked node is refused with every certificate but those of a line begun by a later join.
 */
export class NodeRegister {
  readonly #ports: NodeRegisterPorts
  readonly #table: SecretTable<NodeEntry>
  readonly #held = new Set<Held>()
  /** Nodes that are gone from the API, with the uid that they had, until that is written down. They are let in nowhere. */
  readonly #settling = new Map<string, string>()
  #entries: ReadonlyMap<string, NodeEntry> = new Map()
  /** Told of nodes that connect. */
  onSeen: (node: string) => void = () => undefined

  constructor(ports: NodeRegisterPorts) {
    this.#ports = ports
    const { kubernetes, secret } = ports
    const onWritten = (written: Secret) => secret.absorb(written)
    this.#table = new SecretTable({ kubernetes, name: NODES_SECRET, read: readNodeEntry, onWritten })
    secret.onChange((now) => this.#load(now ? this.#table.parse(now) : new Map()))
  }

  get entries(): ReadonlyMap<string, NodeEntry> {
    return this.#entries
  }

  /** Why this certificate opens no door now. Answers from memory: what another replica has just written comes with the watch. */
  refusal({ node, serial, expires }: NodeCertificate): Refusal | undefined {
    if (!this.#ports.secret.isSynced) return { ok: false, status: 503, reason: NOT_OPEN }
    if (expires <= this.#ports.clock.now()) return { ok: false, status: 403, reason: CERTIFICATE_ENDED }
    if (isRefused(this.#entries.get(node) ?? {}, serial)) return { ok: false, status: 403, reason: REVOKED }
    return this.#settling.has(node) ? { ok: false, status: 503, reason: SETTLING } : undefined
  }

  /** Keeps an eye on a connection until disposed: `end` is called once its certificate is refused, at once where it is already. */
  hold(certificate: NodeCertificate, end: (reason: string) => void): Disposable {
    const held = { certificate, end }
    this.#held.add(held)
    this.onSeen(certificate.node)
    this.#judge(held)
    return { [Symbol.dispose]: () => void this.#held.delete(held) }
  }

  /** Ends connections whose certificate has expired meanwhile, or is refused now. */
  judgeAll(): void {
    for (const held of [...this.#held]) this.#judge(held)
  }

  isHeld(node: string): boolean {
    return [...this.#held].some(({ certificate }) => certificate.node === node)
  }

  /** For a join. `tokenMade` is when the token was made: one from before a revocation does not undo it. */
  admit(node: string, validity: Validity, tokenMade: number | undefined, signal: AbortSignal): Promise<LineVerdict> {
    if (this.#settling.has(node)) return Promise.resolve({ ok: false, status: 503, reason: SETTLING })
    return this.#table.update<LineVerdict>((entries) => {
      const entry = entries.get(node) ?? {}
      const { revoked } = entry
      if (revoked && !(tokenMade !== undefined && tokenMade > revoked.since)) {
        const reason = 'the token is older than the revocation of the node: create a new one'
        return { edits: {}, result: { ok: false, status: 401, reason } }
      }
      const line = revoked?.admits ?? newLine(this.#ports.random)
      const admitted = { ...entry, ...validity, ...(revoked ? { revoked: { ...revoked, admits: line } } : {}) }
      return { edits: { ...this.#forgotten(entries), [node]: admitted }, result: { ok: true, line } }
    }, signal)
  }

  /** For a renewal by the holder of this certificate; whether it may still be renewed by its dates is for the caller to say. */
  renew({ node, serial }: NodeCertificate, validity: Validity, signal: AbortSignal): Promise<LineVerdict> {
    if (this.#settling.has(node)) return Promise.resolve({ ok: false, status: 503, reason: SETTLING })
    return this.#table.update<LineVerdict>((entries) => {
      const entry = entries.get(node) ?? {}
      if (isRefused(entry, serial)) return { edits: {}, result: { ok: false, status: 401, reason: REVOKED } }
      const line = lineOf(serial) ?? newLine(this.#ports.random)
      return { edits: { [node]: { ...entry, ...validity } }, result: { ok: true, line } }
    }, signal)
  }

  /** Refuses every certificate that the node has, and ends its connection. Answers since when. */
  async revoke(node: string, signal?: AbortSignal): Promise<number> {
    const now = this.#ports.clock.now()
    return this.#table.update((entries) => {
      const entry = revokedAt(entries.get(node) ?? {}, now)
      return { edits: { [node]: entry }, result: entry.revoked?.since ?? now }
    }, signal)
  }

  /** Forgets that the node was revoked: its certificates count again. False where it was not. */
  allow(node: string, signal?: AbortSignal): Promise<boolean> {
    return this.#table.update((entries) => {
      const { revoked, ...entry } = entries.get(node) ?? {}
      if (!revoked) return { edits: {}, result: false }
      const isEmpty = Object.keys(entry).length === 0
      return { edits: { [node]: isEmpty ? undefined : entry }, result: true }
    }, signal)
  }

  /** The Node is gone: nobody is let in under its name until `settle` has found out what that means. */
  unsettle(node: string, uid: string): void {
    this.#settling.set(node, uid)
    this.judgeAll()
  }

  /** Brings the entry of a node to what the API says of its Node: written down where it is there, revoked where it was deleted. */
  async settle(node: string, signal: AbortSignal): Promise<void> {
    const gone = this.#settling.get(node)
    if (gone === undefined && this.#isWrittenDown(node)) return
    const present = await this.#ports.kubernetes.get(NODES, { name: node }, signal)
    const registration = present && { registered: true, uid: present.metadata.uid ?? '' }
    const now = this.#ports.clock.now()
    await this.#table.update((entries) => {
      const { registered, uid, ...rest } = entries.get(node) ?? {}
      const result = undefined
      // A successor under the same name does not undo the deletion.
      const isDeleted = !present || [gone, registered && uid].some((each) => each && each !== present.metadata.uid)
      const isSame = registered === registration?.registered && uid === registration?.uid
      if (!isDeleted) return { edits: isSame ? {} : { [node]: { ...rest, ...registration } }, result }
      // Never registered as far as this API knows: the backup that it was restored from is older than the Node.
      if (!registered) return { edits: {}, result }
      return { edits: { [node]: { ...revokedAt(rest, now), ...registration } }, result }
    }, signal)
    if (this.#settling.get(node) === gone) this.#settling.delete(node)
  }

  /** Nodes whose Node was deleted while nobody looked, and perhaps made anew. */
  missing(): readonly string[] {
    const isMissing = ([node, { registered, uid }]: readonly [string, NodeEntry]) => {
      const present = this.#ports.nodes.get({ name: node })
      return registered && (!present || (uid !== undefined && uid !== present.metadata.uid))
    }
    return [...this.#entries].filter(isMissing).map(([node]) => node)
  }

  #isWrittenDown(node: string): boolean {
    const { registered = false, uid } = this.#entries.get(node) ?? {}
    const present = this.#ports.nodes.get({ name: node })
    return registered === (present !== undefined) && uid === present?.metadata.uid
  }

  /** All nodes that have a part in this: joined, registered, connected or revoked. */
  list(isConnected: (node: string) => boolean): readonly NodeStanding[] {
    const expiries = new Map([...this.#held].map(({ certificate }) => [certificate.node, certificate.expires]))
    const names = new Set([...this.#entries.keys(), ...expiries.keys()])
    return [...names].sort().map((name) => {
      const { registered = false, expires = expiries.get(name), revoked } = this.#entries.get(name) ?? {}
      const since = revoked && revoked.admits === undefined ? { revokedSince: revoked.since } : {}
      const until = expires === undefined ? {} : { expires }
      return { name, isConnected: isConnected(name), isRegistered: registered, ...until, ...since }
    })
  }

  #load(entries: ReadonlyMap<string, NodeEntry>): void {
    this.#entries = entries
    this.judgeAll()
  }

  #judge(held: Held): void {
    const refusal = this.refusal(held.certificate)
    if (refusal && this.#held.delete(held)) held.end(refusal.reason)
  }

  #forgotten(entries: ReadonlyMap<string, NodeEntry>): Record<string, undefined> {
    const now = this.#ports.clock.now()
    const old = [...entries].filter(([, entry]) => isForgettable(entry, now))
    return Object.fromEntries(old.map(([node]) => [node, undefined]))
  }
}
