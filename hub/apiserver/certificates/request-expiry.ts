import { type Duration, minutes } from '../../../platform/time/index.ts'
import { certificateIn, hasVerdict } from '../../kube/certificates/index.ts'
import { textAt } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import type { Controller, ControllerOptions } from '../controllers/controller.ts'
import { expiry } from '../controllers/expiry.ts'
import { CERTIFICATE_REQUESTS } from './admission.ts'

/** Kubernetes' own times. */
const AFTER_VERDICT = minutes(60)
const AFTER_NOTHING = minutes(24 * 60)
const EVERY = minutes(10)

/** Takes away requests that were answered an hour ago, or that nobody answered for a day. */
export function requestExpiry(options: ControllerOptions): Controller {
  const isOver = (request: ApiObject, now: number) => {
    const made = Date.parse(textAt(request.metadata, 'creationTimestamp'))
    return made + lifetimeOf(request).milliseconds < now
  }
  return expiry(options, { resource: CERTIFICATE_REQUESTS, every: EVERY, isOver })
}

function lifetimeOf(request: ApiObject): Duration {
  const isDecided = hasVerdict(request, 'Denied') || hasVerdict(request, 'Failed') || certificateIn(request) !== ''
  return isDecided ? AFTER_VERDICT : AFTER_NOTHING
}
