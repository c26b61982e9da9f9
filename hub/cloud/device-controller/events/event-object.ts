import { createHash } from 'node:crypto'
import type { KubeObject } from '../../../../schemas/index.ts'

export interface EventNote {
  readonly type: 'Normal' | 'Warning'
  /** CamelCase. */
  readonly reason: string
  readonly message: string
}

const LONGEST_MESSAGE = 1000

/** An Event (core/v1) about an object, as `kubectl describe` shows it. `now` is RFC 3339, in whole seconds. */
export function newEvent(
  name: string,
  about: KubeObject,
  note: EventNote,
  { component, now }: { readonly component: string; readonly now: string },
): object {
  const { namespace = 'default', uid = '' } = about.metadata
  return {
    metadata: { name, namespace },
    involvedObject: { apiVersion: about.apiVersion, kind: about.kind, name: about.metadata.name, namespace, uid },
    ...note,
    message: note.message.slice(0, LONGEST_MESSAGE),
    source: { component },
    reportingComponent: component,
    reportingInstance: component,
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
  }
}

export function eventName(about: KubeObject, suffix: string): string {
  return `${about.metadata.name.slice(0, 200)}.${suffix}`
}

export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
