import type { Duplex } from 'node:stream'

/** Where the kubelet of a node is. */
export interface NodePlace {
  readonly host: string
  readonly port: number
  /** `https://10.0.0.1:10250` */
  readonly url: string
  connect(signal: AbortSignal): Promise<Duplex>
}

export interface LocateOptions {
  /** Takes its certificate as it is. */
  readonly isUnchecked?: boolean
  /** As what a node that is not there is missed: upstream names the resource of the request. Default: nodes. */
  readonly missedAs?: string
}

export type LocateNode = (node: string, options?: LocateOptions) => NodePlace
