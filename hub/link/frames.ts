import type { Clock, Random } from '../../platform/time/index.ts'
import { type Frame, type FrameRoute, type Json, OPERATIONS } from '../../schemas/index.ts'

/** Makes frames with their ids and times. */
export interface FrameFactory {
  make(route: FrameRoute, content: Json, resourceVersion?: string): Frame
  /** Source, group and resource of the request, its id as parent. */
  reply(request: Frame, content: Json, overrides?: FrameRoute): Frame
  /** An `error` reply: never counts as a receipt. */
  refuse(request: Frame, reason: string, overrides?: FrameRoute): Frame
}

export function createFrameFactory({
  clock,
  random,
}: {
  readonly clock: Clock
  readonly random: Random
}): FrameFactory {
  const header = () => ({ msg_id: random.uuid(), timestamp: Math.trunc(clock.now()) })
  const reply = (request: Frame, content: Json, overrides: FrameRoute = {}): Frame => ({
    header: { ...header(), parent_msg_id: request.header.msg_id },
    route: { ...request.route, operation: OPERATIONS.response, ...overrides },
    content,
  })
  return {
    make: (route, content, resourceVersion) => ({
      header: { ...header(), ...(resourceVersion ? { resourceversion: resourceVersion } : {}) },
      route,
      content,
    }),
    reply,
    refuse: (request, reason, overrides = {}) => reply(request, reason, { ...overrides, operation: OPERATIONS.error }),
  }
}
