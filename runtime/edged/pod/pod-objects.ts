import type { JsonObject } from '../../../schemas/index.ts'

/** Objects of the cloud that pods use, from this node's store, else asked of the cloud. */
export interface PodObjects {
  /** Undefined: there is none. Rejects where nobody can tell now. */
  configMap(namespace: string, name: string, signal?: AbortSignal): Promise<JsonObject | undefined>
  secret(namespace: string, name: string, signal?: AbortSignal): Promise<JsonObject | undefined>
}
