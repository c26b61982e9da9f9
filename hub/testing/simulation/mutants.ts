import type { Store } from '../../../platform/store/index.ts'
import { EPOCH_HEADER, type Frame, type KubeObject, OPERATIONS } from '../../../schemas/index.ts'
import type { Kubernetes, ListOptions, ObjectList, ResourceType } from '../../cloud/kubernetes/kubernetes.ts'
import type { MetaManager } from '../../edge/meta/meta-manager.ts'
import type { OutboxLimits } from '../../edge/outbox/outbox.ts'
import { altered } from './altered-link.ts'
import type { Caller } from './ground/network.ts'

/** What stands around parts of the product to break them. */
export interface Mutant {
  readonly store?: (store: Store) => Store
  readonly meta?: (meta: MetaManager) => MetaManager
  readonly kubernetes?: (kubernetes: Kubernetes) => Kubernetes
  readonly caller?: (caller: Caller) => Caller
  readonly limits?: (limits: OutboxLimits) => OutboxLimits
}

/** A fault that a careless change could bring, and deeds of people and of fate that soon meet it. */
export interface Planted extends Mutant {
  readonly deeds: readonly string[]
  /** The promise that breaks. */
  readonly breaks: string
}

export const MUTANTS: Readonly<Record<string, Planted>> = {
  'an edge acknowledges before its disk has it': {
    deeds: ['wish at the edge', 'slow disk', 'thing changes'],
    breaks: 'durable before acknowledged',
    store: (store) =>
      storeWith(store, async (calls) => {
        store.write(calls).catch(() => undefined)
      }),
  },
  'an edge takes a full disk for one that has written': {
    deeds: ['wish at the edge', 'disk full', 'edit desired'],
    breaks: 'durable before acknowledged',
    store: (store) => storeWith(store, (calls) => store.write(calls).catch(() => undefined)),
  },
  'an edge deletes by name, whatever the uid': {
    deeds: ['make device again', 'slow line'],
    breaks: 'exact objects',
    meta: (meta) => withDeletions(meta, (frame) => ({ ...frame, content: { metadata: {} } })),
  },
  'an edge confirms a deletion and does nothing': {
    deeds: ['delete device', 'create device'],
    breaks: 'exact objects',
    meta: (meta) => withDeletions(meta, (frame) => ({ ...frame, content: { metadata: { uid: 'another' } } })),
  },
  'an edge forgets user messages before the cloud has them': {
    deeds: ['send user messages', 'kill edge', 'partition'],
    breaks: 'messages in order',
    store: (store) =>
      storeWith(store, async (calls) => {
        await store.write(calls)
        const put = calls.findLast(({ statement }) => statement === 'user.put')
        const id = put?.parameters[0]
        if (typeof id === 'number' && id % 3 === 0)
          await store.write([{ statement: 'user.remove', parameters: [0, id] }])
      }),
  },
  'an edge keeps more user messages than it may': {
    deeds: ['send user messages', 'partition'],
    breaks: 'bounded queues',
    limits: (limits) => ({ ...limits, maxMessages: limits.maxMessages * 2 }),
  },
  'the cloud answers a user message before it is taken': {
    deeds: ['send user messages', 'handler fails', 'kill cloud'],
    breaks: 'messages in order',
    caller: (caller) =>
      altered(caller, (frame, answer) => {
        if (frame.route.operation === OPERATIONS.upload) answer(receiptOf(frame))
        return frame
      }),
  },
  'the cloud takes every database of a node for the same': {
    deeds: ['back up edge', 'restore edge', 'wipe edge', 'wish at the edge'],
    breaks: 'true status',
    caller: (caller) => ({ ...caller, headers: { ...caller.headers, [EPOCH_HEADER]: 'always' } }),
  },
  'the cloud forgets at its start what nodes have acknowledged': {
    deeds: ['kill cloud', 'restart cloud', 'create device'],
    breaks: 'no needless resend',
    kubernetes: (kubernetes) => ({
      ...kubernetes,
      list: async <T extends KubeObject>(type: ResourceType<T>, options: ListOptions, signal?: AbortSignal) => {
        const list = await kubernetes.list(type, options, signal)
        return type.plural === 'objectsyncs' ? withoutAnnotations(type, list) : list
      },
    }),
  },
  'the lease of a node is not renewed': {
    deeds: ['cut'],
    breaks: 'true nodes',
    kubernetes: (kubernetes) => ({
      ...kubernetes,
      replace: async (type, at, object, options, signal) => {
        const present = type.plural === 'leases' ? await kubernetes.get(type, at, signal) : undefined
        return present ?? (await kubernetes.replace(type, at, object, options, signal))
      },
    }),
  },
}

function storeWith(store: Store, write: Store['write']): Store {
  return { read: (call) => store.read(call), write, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
}

function withDeletions(meta: MetaManager, alter: (frame: Frame) => Frame): MetaManager {
  return {
    ...meta,
    receive: (frame, sender) => {
      const { operation, resource = '' } = frame.route
      const isDeletion = operation === OPERATIONS.delete && resource.includes('/device/')
      return meta.receive(isDeletion ? alter(frame) : frame, sender)
    },
  }
}

function receiptOf({ header, route }: Frame): Frame {
  return {
    header: { msg_id: `early-${header.msg_id}`, parent_msg_id: header.msg_id, timestamp: header.timestamp },
    route: { ...route, operation: OPERATIONS.response },
    content: 'OK',
  }
}

function withoutAnnotations<T extends KubeObject>(type: ResourceType<T>, list: ObjectList<T>): ObjectList<T> {
  const items = list.items.flatMap((item) => {
    const { annotations: _, ...metadata } = item.metadata
    const bare: KubeObject = { ...item, metadata }
    return type.accepts(bare) ? [bare] : []
  })
  return { ...list, items }
}
