import type { JsonObject } from '../../../schemas/index.ts'
import { objectIn, textIn } from '../pod/json.ts'
import type { EventSubject, PodEvent } from './pod-events.ts'

export const COMPONENT = 'edged'

/** Of the API for messages of Events. */
const LONGEST_MESSAGE = 1024
/** A name of the API has at most 253 characters. */
const LONGEST_POD_PART = 230

export interface Occurrence {
  readonly name: string
  readonly count: number
  /** Unix ms. */
  readonly firstAt: number
  readonly lastAt: number
}

/** An Event (core/v1) about a pod, as a kubelet writes it. */
export function eventObject(pod: EventSubject, event: PodEvent, of: Occurrence, nodeName: string): JsonObject {
  const { type, reason, message, fieldPath } = event
  const { namespace, name, uid } = pod
  const resourceVersion = pod.source && textIn(objectIn(pod.source, 'metadata'), 'resourceVersion')
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: of.name, namespace },
    involvedObject: {
      ...{ apiVersion: 'v1', kind: 'Pod', name, namespace, uid },
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(fieldPath === undefined ? {} : { fieldPath }),
    },
    ...{ type, reason, message: shortened(message) },
    source: { component: COMPONENT, host: nodeName },
    firstTimestamp: stamp(of.firstAt),
    lastTimestamp: stamp(of.lastAt),
    count: of.count,
    reportingComponent: COMPONENT,
    reportingInstance: nodeName,
  }
}

/** What a repetition changes of the Event that is there. */
export function repetition({ message }: PodEvent, { count, lastAt }: Occurrence): JsonObject {
  return { count, lastTimestamp: stamp(lastAt), message: shortened(message) }
}

export function eventName(pod: string, suffix: string): string {
  return `${pod.slice(0, LONGEST_POD_PART).replace(/[^a-z0-9]+$/, '')}.${suffix}`
}

function shortened(message: string): string {
  return message.length <= LONGEST_MESSAGE ? message : `${message.slice(0, LONGEST_MESSAGE - 3)}...`
}

/** RFC 3339, UTC, whole seconds. */
function stamp(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')
}
