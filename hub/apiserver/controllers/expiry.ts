import { type Duration, nextTurn } from '../../../platform/time/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { StatusError } from '../../kube/status.ts'
import type { ApiContext } from '../rest/context.ts'
import { remove } from './changes.ts'
import type { Controller, ControllerOptions } from './controller.ts'

export interface Expiring {
  /** As it is stored. */
  readonly resource: string
  /** Of the keys that are looked at; default: all. */
  readonly prefix?: string
  /** Between two looks. */
  readonly every: Duration
  /** `now` in Unix ms. */
  isOver(object: ApiObject, now: number): boolean
}

/** Work of less than a millisecond. */
const LOOKED_AT_ONCE = 500

/** Takes away objects of a kind whose time is over. */
export function expiry({ api }: ControllerOptions, expiring: Expiring): Controller {
  return {
    watch: () => ({ [Symbol.dispose]: () => undefined }),
    async run(signal) {
      while (!signal.aborted) {
        await removeOver(api, expiring, signal)
        await api.clock.sleep(expiring.every, signal)
      }
    },
  }
}

async function removeOver(api: ApiContext, expiring: Expiring, signal: AbortSignal): Promise<void> {
  const { resource, prefix } = expiring
  let looked = 0
  for (const [, object] of api.store.list(resource, prefix)) {
    if (++looked % LOOKED_AT_ONCE === 0) await nextTurn()
    if (!expiring.isOver(object, api.clock.now())) continue
    try {
      await remove(api, resource, object, signal)
    } catch (error) {
      // The disk is full, say: the next look tries again.
      if (!(error instanceof StatusError)) throw error
    }
  }
}
