import { minutes } from '../../../platform/time/index.ts'
import { objectAt, textAt } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import type { Controller, ControllerOptions } from './controller.ts'
import { expiry } from './expiry.ts'

/** Kubernetes' own. */
const LIFETIME = minutes(60)
const EVERY = minutes(1)

/** Takes away Events that nobody has repeated for an hour: they tell a story, and must not fill the database. */
export function eventExpiry(options: ControllerOptions): Controller {
  const isOver = (event: ApiObject, now: number) => lastSeen(event) < now - LIFETIME.milliseconds
  return expiry(options, { resource: '/events', every: EVERY, isOver })
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
