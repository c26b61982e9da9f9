import type { Bus } from '../../../platform/bus/index.ts'
import { describeError, UnavailableError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { seconds } from '../../../platform/time/index.ts'
import { apiForPods } from '../../../schemas/index.ts'
import { apiEnvironment } from '../containers/api-environment.ts'
import type { Pod } from '../pod/pod.ts'

/** Longer than MetaServer waits for a certificate. */
const DEADLINE = seconds(20)

/** By which a container finds the Kubernetes API of this node; empty where it serves none, which keeps no pod from its start. */
export type ApiOf = (pod: Pod, signal: AbortSignal) => Promise<ReadonlyMap<string, string>>

const NONE: ReadonlyMap<string, string> = new Map()

/** From MetaServer. */
export function busApi({ bus, log }: { readonly bus: Bus; readonly log: Logger }): ApiOf {
  return async (pod, signal) => {
    const question = { network: pod.spec.hostNetwork ? 'host' : 'pod', namespace: pod.namespace } as const
    const refuse = (reason: string) => {
      const name = `${pod.namespace}/${pod.name}`
      log.warn('A container is not told of the Kubernetes API of this node', { pod: name, reason })
      return NONE
    }
    try {
      const place = await bus.request(apiForPods, question, { deadline: DEADLINE, signal })
      return 'refusal' in place ? refuse(place.refusal) : apiEnvironment(place)
    } catch (error) {
      signal.throwIfAborted()
      // MetaServer is off.
      if (error instanceof UnavailableError && error.code === 'PLATFORM_BUS_NO_SERVER') return NONE
      return refuse(describeError(error))
    }
  }
}
