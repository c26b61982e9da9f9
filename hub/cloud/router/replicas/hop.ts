import type { IncomingMessage } from 'node:http'
import { type Duration, ms } from '../../../../platform/time/index.ts'
import { forwardedHeaders, type HeaderMap } from '../serving/headers.ts'
import type { Publication, PublishOptions } from '../targets/event-bus.ts'
import type { ServiceRequest } from '../targets/service-frame.ts'

/** What one replica asks of another. It says what kind of call this is, so that a call without it is none of a replica. */
export const HOP_HEADER = 'x-skerry-hop'
const NODE_HEADER = 'x-skerry-node'
const WAIT_HEADER = 'x-skerry-wait'
const DEADLINE_HEADER = 'x-skerry-deadline-ms'
const MOST_BODY_HEADER = 'x-skerry-max-body-bytes'
const PUBLISH_PATH = '/publish/'

export interface HopLimits {
  readonly timeout: Duration
  readonly maxBodyBytes: number
}

/** A call that was passed on: where it goes on its node, and within which limits of its rule. */
export type Hop =
  | {
      readonly kind: 'publish'
      readonly node: string
      readonly topic: string
      readonly wait: PublishOptions['wait']
      readonly limits: HopLimits
    }
  | { readonly kind: 'service'; readonly call: ServiceRequest; readonly limits: HopLimits }

/** Path and headers of a publication. */
export function publishHop({ node, topic, payload }: Publication, { wait, deadline }: PublishOptions) {
  const headers = {
    [HOP_HEADER]: 'publish',
    [NODE_HEADER]: node,
    [WAIT_HEADER]: wait,
    [DEADLINE_HEADER]: String(deadline.milliseconds),
    [MOST_BODY_HEADER]: String(payload.byteLength),
    'content-length': payload.byteLength,
  }
  return { path: PUBLISH_PATH + encodeURIComponent(topic), headers }
}

/** Headers of a call to a local service beside those of the call; its deadline goes along as it does to nodes. */
export function serviceHop(node: string, { maxBodyBytes }: HopLimits): HeaderMap {
  return { [HOP_HEADER]: ['service'], [NODE_HEADER]: [node], [MOST_BODY_HEADER]: [String(maxBodyBytes)] }
}

/** Nothing where it is not as a replica writes it. */
export function hopOf({ headers, headersDistinct, method = 'GET', url = '/' }: IncomingMessage): Hop | undefined {
  const text = (name: string) => {
    const value = headers[name]
    return typeof value === 'string' ? value : ''
  }
  const node = text(NODE_HEADER)
  const timeout = ms(numberIn(text(DEADLINE_HEADER)))
  const maxBodyBytes = numberIn(text(MOST_BODY_HEADER))
  const limits = { timeout, maxBodyBytes }
  if (node === '' || !(timeout.milliseconds > 0) || Number.isNaN(maxBodyBytes)) return undefined
  switch (text(HOP_HEADER)) {
    case 'publish': {
      const topic = url.startsWith(PUBLISH_PATH) ? decoded(url.slice(PUBLISH_PATH.length)) : undefined
      const wait = text(WAIT_HEADER)
      if (topic === undefined || (wait !== 'none' && wait !== 'delivered')) return undefined
      return { kind: 'publish', node, topic, wait, limits }
    }
    case 'service': {
      const [, port, path] = /^\/([^/]*)(\/.*)$/.exec(url) ?? []
      if (port === undefined || path === undefined) return undefined
      return { kind: 'service', call: { node, port, path, method, headers: forwardedHeaders(headersDistinct) }, limits }
    }
    default:
      return undefined
  }
}

function numberIn(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
