import { stateChannel } from './declare.ts'

/** What the Node says of pods. Written by Edged; key `node`; absent where this node runs none. */
export interface NodeRuntime {
  readonly maxPods: number
  /** The container runtime, `containerd://1.6.20`; absent until it has answered for the first time. */
  readonly version?: string
  /** The largest ones, those first. */
  readonly images: readonly NodeImage[]
  /** What a RuntimeClass may choose, by name; none where the runtime does not say. */
  readonly handlers: readonly string[]
  /** What the system and this edge keep for themselves: pods cannot have it. */
  readonly reserved: NodeReserved
}

export interface NodeImage {
  /** By digest, then by tag. */
  readonly names: readonly string[]
  readonly bytes: number
}

export interface NodeReserved {
  readonly milliCpu: number
  readonly memoryBytes: number
  readonly diskBytes: number
}

export const nodeRuntime = stateChannel<NodeRuntime>('node.runtime')
