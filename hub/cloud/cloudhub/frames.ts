import type { Clock, Random } from '../../../platform/time/index.ts'
import { type Frame, type FrameRoute, type Json, OPERATIONS } from '../../../schemas/index.ts'

export interface FrameMaker {
  make(route: FrameRoute, content: Json, resourceVersion?: string): Frame
  /** Source, group and resource of the request, its id as parent (the edge routes answers by group and parent). */
  answer(request: Frame, content: Json, overrides?: FrameRoute): Frame
  refuse(request: Frame, reason: string): Frame
}

export function createFrameMaker({ clock, random }: { readonly clock: Clock; readonly random: Random }): FrameMaker {
  const header = () => ({ msg_id: random.uuid(), timestamp: Math.trunc(clock.now()) })
  const answer = (request: Frame, content: Json, overrides: FrameRoute = {}): Frame => ({
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
    answer,
    refuse: (request, reason) => answer(request, reason, { operation: OPERATIONS.error }),
  }
}
