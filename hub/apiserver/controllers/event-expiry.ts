import { minutes } from '../../../platform/time/index.ts'
import { nameOf, namespaceOf, objectAt, textAt, uidOf } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { StatusError } from '../../kube/status.ts'
import { type ApiContext, CONTROLLER_MANAGER, systemChange } from '../rest/context.ts'
import { removeObject } from '../rest/remove.ts'
import type { Controller, ControllerOptions } from './controller.ts'

/** Kubernetes' own. */
const LIFETIME = minutes(60)
const EVERY = minutes(1)

/** Takes away Events that nobody has repeated for an hour: they tell a story, and must not fill the database. */
export function eventExpiry({ api }: ControllerOptions): Controller {
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
  const definition = api.registry.stored('/events')
  if (!definition) return
  const oldest = api.clock.now() - LIFETIME.milliseconds
  for (const [, event] of api.store.list('/events')) {
    if (lastSeen(event) >= oldest) continue
    const options = { propagation: 'Background', uid: uidOf(event), resourceVersion: '' } as const
    try {
      await removeObject(
        api,
        systemChange(definition, namespaceOf(event), signal, CONTROLLER_MANAGER),
        nameOf(event),
        options,
      )
    } catch (error) {
      // Somebody else removed it, or the disk is full: the next look tries again.
      if (!(error instanceof StatusError)) throw error
    }
  }
}

/** Unix ms; the creation of an Event is always known. */
function lastSeen(event: ApiObject): number {
  const times = [
    textAt(event.metadata, 'creationTimestamp'),
    textAt(event, 'lastTimestamp'),
    textAt(event, 'eventTime'),
    textAt(objectAt(event, 'series'), 'lastObservedTime'),
  ]
  return Math.max(
    ...times.map((time) => Date.parse(time)).filter((time) => !Number.isNaN(time)),
    Number.NEGATIVE_INFINITY,
  )
}
