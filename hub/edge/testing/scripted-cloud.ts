import {
  DIGEST_RESOURCE,
  type Frame,
  type FrameRoute,
  HELD_RESOURCE,
  type Json,
  missingContent,
  OBJECT_DIGEST_RESOURCE,
  parseMessages,
} from '../../../schemas/index.ts'
import type { FrameFactory } from '../../link/index.ts'
import type { LinkPair } from '../../link/testing/index.ts'

/** A cloud that says what a test tells it to. By default it confirms every report and takes every Node and Lease. */
export interface ScriptedCloud {
  /** Every frame that came up over all links, in order. */
  readonly received: readonly Frame[]
  /** Without keepalives and what the node says of itself. */
  reports(): readonly Frame[]
  /** Operation and resource of what came up. */
  summary(): readonly string[]
  /** Sends a frame down the present link. */
  say(route: FrameRoute, content: Json, resourceVersion?: string): Frame
  /** What it answers; undefined for nothing. */
  answers: (frame: Frame) => Frame | undefined
  accept(pair: LinkPair): void
  forget(): void
}

export function createScriptedCloud(frames: FrameFactory): ScriptedCloud {
  const received: Frame[] = []
  let present: LinkPair | undefined
  const serve = async (pair: LinkPair, cloud: ScriptedCloud) => {
    for await (const frame of pair.cloud.frames) {
      received.push(frame)
      const answer = cloud.answers(frame)
      // A link that is gone takes no answer; that is no failure of the test.
      if (answer) await pair.cloud.send(answer).catch(() => undefined)
    }
  }
  return {
    received,
    reports: () => received.filter(({ route }) => route.source === 'twin' && route.resource !== DIGEST_RESOURCE),
    summary: () => received.map(({ route }) => `${route.operation} ${route.resource}`),
    answers: (frame) => defaultAnswer(frames, frame),
    say(route, content, resourceVersion) {
      const frame = frames.make(route, content, resourceVersion)
      void present?.cloud.send(frame)
      return frame
    },
    accept(pair) {
      present = pair
      void serve(pair, this)
    },
    forget: () => void received.splice(0),
  }
}

export function defaultAnswer(frames: FrameFactory, frame: Frame): Frame | undefined {
  const { operation, source, resource } = frame.route
  if (operation === 'keepalive' || operation === 'response' || operation === 'error') return undefined
  if (resource === DIGEST_RESOURCE) {
    return frames.reply(frame, { skerry: { missing: [] } }, { source: 'devicecontroller', group: 'twin' })
  }
  if (resource === HELD_RESOURCE) return frames.reply(frame, missingContent(parseMessages(frame.content) ?? []))
  if (resource === OBJECT_DIGEST_RESOURCE) return frames.reply(frame, 'OK', { source: 'cloudhub', group: 'resource' })
  if (source === 'twin') {
    return frames.reply(frame, 'OK', { source: 'devicecontroller', group: 'twin', resource: 'twin' })
  }
  if (operation === 'upload') return frames.reply(frame, 'OK', { source: 'cloudhub', resource: 'user' })
  const route = { source: 'edgecontroller', group: 'resource' }
  if (operation === 'query' && resource?.includes('/lease/')) {
    return frames.reply(frame, { Object: null, Err: { ErrStatus: { reason: 'NotFound' } } }, route)
  }
  const sent: Json = typeof frame.content === 'string' ? JSON.parse(frame.content) : frame.content
  return frames.reply(frame, { Object: sent, Err: null }, route)
}
