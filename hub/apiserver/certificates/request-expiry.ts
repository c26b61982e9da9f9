import { type Duration, minutes } from '../../../platform/time/index.ts'
import { certificateIn, hasVerdict } from '../../kube/certificates/index.ts'
import { nameOf, textAt, uidOf } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { StatusError } from '../../kube/status.ts'
import type { Controller, ControllerOptions } from '../controllers/controller.ts'
import { type ApiContext, systemChange } from '../rest/context.ts'
import { removeObject } from '../rest/remove.ts'
import { CERTIFICATE_REQUESTS } from './admission.ts'

/** Kubernetes' own times. */
const AFTER_VERDICT = minutes(60)
const AFTER_NOTHING = minutes(24 * 60)
const EVERY = minutes(10)

/** Takes away requests that were answered an hour ago, or that nobody answered for a day. */
export function requestExpiry({ api }: ControllerOptions): Controller {
  return {
    watch: () => ({ [Symbol.dispose]: () => undefined }),
    async run(signal) {
      while (!signal.aborted) {
        await removeOld(api, signal)
        await api.clock.sleep(EVERY, signal)
      }
    },
  }
}

async function removeOld(api: ApiContext, signal: AbortSignal): Promise<void> {
  const definition = api.registry.stored(CERTIFICATE_REQUESTS)
  if (!definition) return
  for (const [, request] of api.store.list(CERTIFICATE_REQUESTS)) {
    const made = Date.parse(textAt(request.metadata, 'creationTimestamp'))
    if (!(made + lifetimeOf(request).milliseconds < api.clock.now())) continue
    const options = { propagation: 'Background', uid: uidOf(request), resourceVersion: '' } as const
    try {
      await removeObject(api, systemChange(definition, '', signal), nameOf(request), options)
    } catch (error) {
      // Somebody else removed it, or the disk is full: the next look tries again.
      if (!(error instanceof StatusError)) throw error
    }
  }
}

function lifetimeOf(request: ApiObject): Duration {
  const isDecided = hasVerdict(request, 'Denied') || hasVerdict(request, 'Failed') || certificateIn(request) !== ''
  return isDecided ? AFTER_VERDICT : AFTER_NOTHING
}
