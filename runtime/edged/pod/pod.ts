import type { JsonObject } from '../../../schemas/index.ts'
import type { Container } from './schema/container.ts'
import type { PodSpec } from './schema/pod-spec.ts'

export type Labels = Readonly<Record<string, string>>

/** Which pod it is. */
export interface PodIdentity {
  readonly uid: string
  readonly name: string
  readonly namespace: string
}

/** A pod that this node has to run, read and with its defaults. */
export interface Pod extends PodIdentity {
  readonly labels: Labels
  readonly annotations: Labels
  readonly spec: PodSpec
  /** Present: it has to end, with at most so long a grace. */
  readonly deletion?: { readonly graceSeconds: number }
  /** From a file of this node; the cloud shows a mirror of it. */
  readonly isStatic: boolean
  /** As the cloud last said it, or the file. */
  readonly source: JsonObject
}

/** `<namespace>/<name>`, as on the bus. */
export function podKey({ namespace, name }: PodIdentity): string {
  return `${namespace}/${name}`
}

/** An init container that runs beside those after it, until the pod ends. */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always'
}
