import { createHash } from 'node:crypto'
import { nameOf, namespaceOf, objectAt, textAt, timestamp } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { StatusError } from '../../kube/status.ts'
import { keyOf } from '../../serving/objects/registry.ts'
import { type ApiContext, CONTROLLER_MANAGER, systemChange } from '../rest/context.ts'
import { createObject } from '../rest/create.ts'
import { updateObject } from '../rest/update.ts'

/** What happened, in the words that people and tools know from Kubernetes. */
export interface Story {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

/** Longer messages are cut, as Kubernetes does. */
const LONGEST = 1024

/**
 * An Event that `kubectl describe` shows. What happened before in the same words is counted once more. It tells a story and
 * holds nothing up: where it cannot be written, it is left out.
 */
export async function tellEvent(
  api: ApiContext,
  component: string,
  about: ApiObject,
  story: Story,
  signal: AbortSignal,
): Promise<void> {
  const definition = api.registry.stored('/events')
  if (!definition) return
  const namespace = namespaceOf(about) || 'default'
  const now = timestamp(api.clock.now())
  const event = eventOf(component, about, story, now)
  const name = nameOf(event)
  const change = systemChange(definition, namespace, signal, CONTROLLER_MANAGER)
  const propose = (current: ApiObject) => ({ ...current, count: countOf(current) + 1, lastTimestamp: now })
  try {
    const isTold = api.store.get('/events', keyOf(namespace, name)) !== undefined
    if (isTold) await updateObject(api, change, { name, subresource: '' }, { propose })
    else await createObject(api, change, event)
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    api.log.debug('An Event could not be written', { reason: story.reason, error: error.message })
  }
}

function eventOf(component: string, about: ApiObject, story: Story, now: string): ApiObject {
  const { type, reason } = story
  const message = story.message.slice(0, LONGEST)
  const namespace = namespaceOf(about)
  const uid = textAt(about.metadata, 'uid')
  const identity = createHash('sha256').update([uid, component, type, reason, message].join('\0')).digest('hex')
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${nameOf(about).slice(0, 200)}.${identity.slice(0, 16)}`, namespace: namespace || 'default' },
    involvedObject: {
      apiVersion: about.apiVersion,
      kind: about.kind,
      name: nameOf(about),
      // kubectl looks for the Events of a Node by its name in the place of its uid, as kubelets write them.
      uid: about.kind === 'Node' ? nameOf(about) : uid,
      resourceVersion: textAt(about.metadata, 'resourceVersion'),
      ...(namespace === '' ? {} : { namespace }),
    },
    ...{ type, reason, message, count: 1, firstTimestamp: now, lastTimestamp: now },
    ...{ source: { component }, reportingComponent: component, reportingInstance: '' },
  }
}

function countOf(event: ApiObject): number {
  const { count } = event
  return typeof count === 'number' ? count : Number(objectAt(event, 'series')['count'] ?? 1)
}
