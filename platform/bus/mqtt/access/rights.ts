import type { Anonymous, MqttClientConfig } from '../../../../schemas/config/index.ts'
import { DEVICE_TOPICS, type DeviceId, NODE_TOPICS, PLAIN_PREFIX } from '../../../../schemas/index.ts'
import { TopicTree } from '../topic-tree.ts'
import { isOfBroker, isQuestion, overlap, placeOf } from './topics.ts'

/** The only side of a twin that may be changed; undefined: both. */
export type Side = 'desired' | 'reported' | undefined

/** What one client may do. On the topics of the edge nobody is heard, whatever stands here. */
export interface Rights {
  /** Why it may not publish on a topic that is not of the edge, or nothing. */
  refusePublish(topic: string): string | undefined
  /** Which side of the twin that a topic is about it may change. Only for topics that `refusePublish` allows. */
  side(topic: string): Side
  /** Each message is judged, retained ones too: a subscription may be wider than what its holder may hear. */
  mayHear(topic: string): boolean
  /** False for a filter under which nothing may be heard. */
  maySubscribe(filter: string): boolean
}

/** Of a client that did not say who it is. */
export function rightsOfAnonymous(level: Anonymous): Rights {
  const maySee = level !== 'none'
  return {
    refusePublish(topic) {
      if (level === 'full') return undefined
      if (level === 'none') return 'clients without credentials may not publish'
      return isQuestion(topic) ? undefined : 'clients without credentials may read, and publish on .../get only'
    },
    side: () => undefined,
    // What the broker says of its clients is not for those who may only read twins.
    mayHear: (topic) => maySee && (level === 'full' || !isOfBroker(topic)),
    maySubscribe: (filter) => maySee && (level === 'full' || !isOfBroker(filter)),
  }
}

/** Of a client that has proven its name; `entries` are all those of this name, and add up. Without any it may nothing. */
export function rightsOfClient(entries: readonly MqttClientConfig[]): Rights {
  const grants = entries.map(grantOf)
  const publish = treeOf(entries.flatMap((entry) => entry.publish))
  const subscribe = treeOf(entries.flatMap((entry) => entry.subscribe))
  const audible = [...entries.flatMap((entry) => entry.subscribe), ...grants.flatMap(({ filters }) => filters)]
  const ownsAll = grants.some((grant) => grant.isAll)
  const on = (device: DeviceId | undefined) =>
    device === undefined ? [] : grants.filter((grant) => grant.covers(device))

  return {
    refusePublish(topic) {
      const place = placeOf(topic)
      if (place.kind === 'device') {
        const held = on(place.device)
        if (held.length === 0) return 'it is not a topic of its twins'
        return held.some(({ actions }) => actions.has(place.action))
          ? undefined
          : 'its access to the twin does not allow it'
      }
      if (place.kind === 'node' && ownsAll && place.action === 'membership/get') return undefined
      return publish.match(topic).length > 0 ? undefined : 'it is not among the topics that it may publish on'
    },
    side(topic) {
      const place = placeOf(topic)
      const sides = new Set(
        place.kind === 'device' ? on(place.device).flatMap(({ access }) => SIDES[access] ?? []) : [],
      )
      return sides.size === 1 ? [...sides][0] : undefined
    },
    mayHear(topic) {
      const place = placeOf(topic)
      if (place.kind === 'device') return on(place.device).length > 0
      return (place.kind === 'node' && ownsAll) || subscribe.match(topic).length > 0
    },
    maySubscribe: (filter) => audible.some((heard) => overlap(filter, heard)),
  }
}

type Access = MqttClientConfig['access']

const QUESTIONS = ['twin/get', 'state/get'] as const
const ACTIONS: Readonly<Record<Access, readonly string[]>> = {
  read: QUESTIONS,
  // The state is the mapper's; an app that sends it is answered so, as with the values that are not its own.
  app: [...QUESTIONS, 'twin/update', 'state/update', 'method/call', 'set', 'call'],
  mapper: [...QUESTIONS, 'twin/update', 'state/update'],
  full: [...QUESTIONS, 'twin/update', 'state/update', 'method/call', 'set', 'call'],
}
const SIDES: Readonly<Record<Access, readonly ('desired' | 'reported')[]>> = {
  read: [],
  app: ['desired'],
  mapper: ['reported'],
  full: ['desired', 'reported'],
}

interface Grant {
  readonly access: Access
  readonly actions: ReadonlySet<string>
  readonly isAll: boolean
  /** All that its holder may hear, a little wider where a name ends in `*`. */
  readonly filters: readonly string[]
  covers(device: DeviceId): boolean
}

function grantOf({ access, twins }: MqttClientConfig): Grant {
  const patterns = twins.map((twin) => {
    const [namespace = '', name = ''] = twin.split('/')
    return { namespace, name }
  })
  const isAll = twins.includes('*/*')
  return {
    access,
    actions: new Set(ACTIONS[access]),
    isAll,
    filters: [...patterns.flatMap(filtersOf), ...(isAll ? [`${NODE_TOPICS}#`] : [])],
    covers(device) {
      const slash = device.indexOf('/')
      const [namespace, name] = [device.slice(0, slash), device.slice(slash + 1)]
      return patterns.some((pattern) => fits(pattern.namespace, namespace) && fits(pattern.name, name))
    },
  }
}

function filtersOf({ namespace, name }: { readonly namespace: string; readonly name: string }): readonly string[] {
  const path = `${levelOf(namespace)}/${levelOf(name)}`
  const filters = [`${DEVICE_TOPICS}${path}/#`, `${PLAIN_PREFIX}/${path}/#`]
  // Older clients leave the namespace out where it is `default`.
  return fits(namespace, 'default') ? [...filters, `${DEVICE_TOPICS}${levelOf(name)}/#`] : filters
}

function levelOf(pattern: string): string {
  return pattern.endsWith('*') ? '+' : pattern
}

function fits(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}

function treeOf(filters: readonly string[]): TopicTree<true> {
  const tree = new TopicTree<true>()
  for (const filter of filters) tree.add(filter, true)
  return tree
}
