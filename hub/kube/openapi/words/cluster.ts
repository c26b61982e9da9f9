import { OBJECT_METADATA, type Words } from './words.ts'

const RELATED = 'Another object that has to do with what happened, such as the pod that a Deployment made.'
const SERIES = 'How often it has happened, and when last. Absent where it has happened once.'
const EVENT_TIME = 'When it happened first, with microseconds.'
const EVENT_METADATA = 'The namespace is that of the object that the event is about.'

/** Namespaces, data, events and leases. */
export function clusterWords(): Words {
  return {
    V1Namespace: {
      metadata: OBJECT_METADATA,
      spec: 'Who has yet to clean up before the namespace is gone (finalizers).',
      status: 'Whether the namespace is in use or about to go, and what holds up its end.',
    },
    V1ConfigMap: { metadata: OBJECT_METADATA },
    V1Secret: { metadata: OBJECT_METADATA },
    V1ServiceAccount: { metadata: OBJECT_METADATA },
    CoreV1Event: {
      eventTime: EVENT_TIME,
      involvedObject: 'The object that the event is about.',
      metadata: EVENT_METADATA,
      related: RELATED,
      series: SERIES,
      source:
        'Which component reports the event, and on which node. Newer writers set reportingComponent and leave it empty.',
    },
    CoreV1EventSeries: { lastObservedTime: 'When it happened last, with microseconds.' },
    EventsV1Event: {
      deprecatedSource: 'The same as source of an Event of version v1, for those that were written so.',
      eventTime: `${EVENT_TIME} Required.`,
      metadata: EVENT_METADATA,
      regarding: 'The object that the event is about: as a rule one that whoever reports takes care of.',
      related: RELATED,
      series: SERIES,
    },
    EventsV1EventSeries: { lastObservedTime: 'When it happened last, with microseconds.' },
    V1Lease: {
      metadata: OBJECT_METADATA,
      spec: 'Who holds the lease, since when, and for how long without a renewal.',
    },
    V1LeaseSpec: {
      acquireTime: 'When the present holder got the lease.',
      renewTime: 'When the holder last renewed the lease. It is free leaseDurationSeconds later.',
    },
  }
}
