import type { Bus } from '../../../platform/bus/index.ts'
import { RefusedError } from '../../../platform/lifecycle/index.ts'
import { seconds } from '../../../platform/time/index.ts'
import { type JsonObject, requestObject } from '../../../schemas/index.ts'
import type { PodObjects } from '../pod/pod-objects.ts'

/** The cloud has that long for an object that this node has not. */
const DEADLINE = seconds(30)

/** ConfigMaps and Secrets from this node's store, else from the cloud. */
export function busObjects(bus: Bus): PodObjects {
  const ask = async (resource: string, signal?: AbortSignal): Promise<JsonObject | undefined> => {
    const options = { deadline: DEADLINE, ...(signal ? { signal } : {}) }
    try {
      return (await bus.request(requestObject, { resource, freshness: 'stored-first' }, options)).object
    } catch (error) {
      if (error instanceof RefusedError && error.fields['status'] === 404) return undefined
      throw error
    }
  }
  return {
    configMap: (namespace, name, signal) => ask(`${namespace}/configmap/${name}`, signal),
    secret: (namespace, name, signal) => ask(`${namespace}/secret/${name}`, signal),
  }
}
