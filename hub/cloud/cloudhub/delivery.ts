import type { Duration } from '../../../platform/time/index.ts'
import type { Frame, FrameRoute, Json, KubeObject } from '../../../schemas/index.ts'

/** An object as a node should have it. */
export interface Delivery {
  /** As it goes on the wire, with metadata.uid, name and, unless it is cluster-scoped, namespace. */
  readonly object: KubeObject
  /** `default/device/pump-1`, `null/node/edge-1`. */
  readonly resource: string
  /** Module name that stands in the route; an original edge acknowledges only known ones. */
  readonly source: string
  /**
   * What an acknowledgement stands for; opaque. It changes when, and only when, the node has to get the object again: the
   * resourceVersion of a Device would not do, because each status report changes that.
   */
  readonly version: string
  /** It goes as `update` the first time, too, where KubeEdge has it so. */
  readonly isAlwaysUpdate?: boolean
  /** No two nodes should have it: another connected one is told to let go of it before this one gets it. */
  readonly isExclusive?: boolean
  /** uid of another delivery that an original edge expects to get again before each update of this one. */
  readonly companion?: string
  /** What goes with the object under `skerry`, to peers that understand it. Never differs in one version. */
  readonly extra?: object
}

/** Says what a node should have. Asked whenever the node connects or `CloudHub.sync` names it. */
export interface NodeSource {
  readonly name: string
  /** Kinds whose records this source answers for, in the order in which deletions are sent. */
  readonly kinds: readonly string[]
  /**
   * Nothing is written to the API of what a node acknowledged of these kinds: each Skerry edge says at the begin of a session what it has
   * of them, and only such edges get them. The version of a delivery is then `r` with metadata.resourceVersion.
   */
  readonly isUnrecorded?: boolean
  /**
   * Whether the answer for this node is complete; before that, nothing of this source is sent and above all nothing deleted.
   * Other sources do not wait for it.
   */
  isReady(node: string): boolean
  /** Nothing is known of the object now, because its kind cannot be read, say: the node, which has it, keeps it meanwhile. */
  isUnsure?(object: KubeObject, node: string): boolean
  /** In the order in which they should arrive. */
  deliveriesFor(node: string): readonly Delivery[]
  /** Frames without acknowledgement that go before the deliveries of this sync. */
  noticesFor?(node: string, session: string): readonly Frame[]
  /** The last known form of an object that is gone, for peers that need more than its name to let go of it. */
  departed?(uid: string): KubeObject | undefined
  /** The node said that it cannot take an object. It is sent again after growing waits; this is the place for an Event. */
  refused?(node: string, object: KubeObject, reason: string): void
  /** `default/device/pump-1` for an object of one of the kinds, and the module name for its deletion. */
  addressOf(object: KubeObject): { readonly resource: string; readonly source: string }
}

/** What is known of the other end of a session. */
export interface NodePeer {
  readonly node: string
  /** Differs for each session. */
  readonly session: string
  /** The edge understands the `skerry` keys. */
  readonly skerry: boolean
  /** Identity of the edge's database; empty for an original edge. */
  readonly epoch: string
  /** It has MetaServer, and keeps services of the namespaces of its pods. */
  readonly keepsServices?: boolean
}

/** A frame that came up, as it was on the wire. */
export interface Upstream {
  readonly peer: NodePeer
  readonly frame: Frame
  /** Sends a frame to the same session, without acknowledgement. Nothing happens when the session has ended. */
  reply(frame: Frame): void
  /** The node claims what is another's: it is answered with an error, logged and counted, and its connection is closed. */
  expel(reason: string): void
}

/**
 * Takes a frame. Frames of one node come in their order; a promise may be given back, and a node with many of them unsettled
 * is not read further until one settles, while other nodes are. A rejection is logged.
 */
export type UpstreamHandler = (upstream: Upstream) => Promise<void> | void

/** Who deals with what: twins, requests of MetaServers, calls of applications, what edges keep until it is done, and all else. */
export type UpstreamKind = 'devices' | 'applications' | 'calls' | 'held' | 'edge'

/** What CloudHub has under way, for people and tools. Times are Unix ms. */
export interface HubSnapshot {
  readonly nodes: readonly NodeSnapshot[]
  /** Frames dropped since the start, by cause. */
  readonly dropped: Readonly<Record<string, number>>
}

export interface NodeSnapshot {
  readonly node: string
  readonly skerry: boolean
  readonly connectedAt: number
  /** Objects that the node has not acknowledged. */
  readonly waiting: number
  /** Since when the oldest of them waits. */
  readonly waitingSince?: number
  /** Last receipt of an object in this session. */
  readonly acknowledgedAt?: number
  /** Frames to the node that were dropped in this session. */
  readonly dropped: number
}

/** What an MQTT client or an application of an edge said to the cloud. */
export interface UserMessage {
  readonly peer: NodePeer
  /** As it was published. */
  readonly topic: string
  /** `node/<node>/<topic>`, as rules name it. */
  readonly resource: string
  readonly payload: Uint8Array
  /** Of the frame; the same where an edge says it again. */
  readonly id: string
  /** Module that said it: a topic (`bus`), or an application by ServiceBus (`servicebus`). */
  readonly source: string
  readonly content: Json
}

/**
 * Called in the order of each node, for one message after the other. done, no-rule: it may be forgotten by its edge. taken: the edge
 * need not send it again, and keeps it until it is told otherwise; it asks for that with a frame of kind `held`. A rejection has it
 * sent again.
 */
export type UserMessageHandler = (message: UserMessage) => Promise<UserOutcome>
export type UserOutcome = 'taken' | 'done' | 'no-rule'

/** What is asked of a node. Goes as a frame of its own id. */
export interface Question {
  readonly route: FrameRoute
  readonly content: Json
}

export interface AskOptions {
  /** From now until the answer. */
  readonly deadline: Duration
  /** Whoever asks does not wait any more; the rejection is its reason. */
  readonly signal?: AbortSignal
}

/** What controllers see of CloudHub. */
export interface CloudHub {
  addSource(source: NodeSource): Disposable
  /** Has the node's objects compared with what it acknowledged, soon; nothing happens while it is not connected. */
  sync(node: string): void
  isConnected(node: string): boolean
  /**
   * Sends a question once and gives the frame whose `parent_msg_id` names it, of whatever operation but `error`. Rejects at once
   * with `HUB_NODE_AWAY` where the node has no session here or its session ends meanwhile, with `HUB_NODE_BUSY` where too many
   * wait, and with `HUB_NODE_SILENT` at the deadline; `fields.wasSent` says whether the node may have got it. `HUB_NODE_REFUSED`
   * is the node's own error, with its text in `fields.reason`.
   */
  ask(node: string, question: Question, options: AskOptions): Promise<Frame>
  /** Sends it once, for nobody waits for an answer; throws `HUB_NODE_AWAY` or `HUB_NODE_BUSY`. Whether it arrives nobody knows. */
  tell(node: string, question: Question): void
  /** The other end of its session. */
  peerOf(node: string): NodePeer | undefined
  /** Connected, or acknowledged something before and not deleted since. */
  isKnown(node: string): boolean
  /** Told of each session that begins (connected) and of each node that is left without one; at once of those that are there. */
  onConnection(handler: (peer: NodePeer, connected: boolean) => void): Disposable
  /**
   * Frames of source `twin` go to `devices`, those of `metaserver` to `applications`, calls of applications that wait for their
   * answer to `calls`, questions about messages that the edge keeps to `held`, all other non-hub ones to `edge`. One handler each.
   */
  onUpstream(route: UpstreamKind, handler: UpstreamHandler): Disposable
  /** A connected node holds an object that no source gives it: it is deleted there. At most so often as the node says it. */
  evict(node: string, object: KubeObject): void
  /** Ends the session of the node, if it has one. Whether it may come back is decided when it does. */
  cutOff(node: string, reason: string): void
  snapshot(): HubSnapshot
  /** One handler; without one all messages count as without a rule. */
  onUserMessage(handler: UserMessageHandler): Disposable
}
