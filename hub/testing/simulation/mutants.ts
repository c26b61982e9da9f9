import type { Store } from '../../../platform/store/index.ts'
import { DIGEST_RESOURCE, EPOCH_HEADER, type Frame, OPERATIONS } from '../../../schemas/index.ts'
import type { Kubernetes } from '../../cloud/kubernetes/kubernetes.ts'
import type { MetaManager } from '../../edge/meta/meta-manager.ts'
import type { Link } from '../../link/link.ts'
import type { Caller } from './ground/network.ts'

/** What stands around parts of the product to break them. */
export interface Mutant {
  readonly store?: (store: Store) => Store
  readonly meta?: (meta: MetaManager) => MetaManager
  readonly kubernetes?: (kubernetes: Kubernetes) => Kubernetes
  readonly caller?: (caller: Caller) => Caller
  /** Histories of these deeds find it sooner. */
  readonly deeds?: readonly string[]
}

/** Faults that a careless change could bring. Each breaks promises, and some of a few hundred histories find that out. */
export const MUTANTS: Readonly<Record<string, Mutant>> = {
  'an edge acknowledges before its disk has it': {
    store: (store) =>
      storeWith(store, async (calls) => {
        store.write(calls).catch(() => undefined)
      }),
  },
  'an edge deletes by name, whatever the uid': {
    meta: (meta) => ({
      ...meta,
      receive: (frame, sender) => {
        const { operation, resource = '' } = frame.route
        const isDeletion = operation === OPERATIONS.delete && resource.includes('/device/')
        return meta.receive(isDeletion ? { ...frame, content: { metadata: {} } } : frame, sender)
      },
    }),
  },
  'an edge takes nothing away': {
    meta: (meta) => ({
      ...meta,
      receive: (frame, sender) => {
        const { operation, resource = '' } = frame.route
        const isDeletion = operation === OPERATIONS.delete && resource.includes('/device/')
        return meta.receive(isDeletion ? { ...frame, content: { metadata: { uid: 'another' } } } : frame, sender)
      },
    }),
  },
  'an edge forgets user messages before the cloud has them': {
    store: (store) =>
      storeWith(store, async (calls) => {
        await store.write(calls)
        const put = calls.findLast(({ statement }) => statement === 'user.put')
        const id = put?.parameters[0]
        if (typeof id === 'number' && id % 3 === 0)
          await store.write([{ statement: 'user.removeUpTo', parameters: [id] }])
      }),
  },
  'the cloud takes every database of a node for the same': {
    caller: (caller) => ({ ...caller, headers: { ...caller.headers, [EPOCH_HEADER]: 'always' } }),
  },
  'an edge keeps what was confirmed to another database of its own, and nobody compares': {
    store: (store) =>
      storeWith(store, (calls) => store.write(calls.filter(({ statement }) => statement !== 'meta.unmarkAll'))),
    deeds: ['back up edge', 'restore edge', 'wish at the edge', 'thing goes or comes', 'edit desired'],
    caller: ({ link, ...caller }) => ({ ...caller, link: saying(link, DIGEST_RESOURCE, { skerry: { missing: [] } }) }),
  },
}

function storeWith(store: Store, write: Store['write']): Store {
  return { read: (call) => store.read(call), write, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
}

/** Everything that goes down for this resource has another content. */
function saying(link: Link, resource: string, content: Frame['content']): Link {
  const { isSkerry, cloudEpoch, frames, closed } = link
  return {
    ...{ isSkerry, cloudEpoch, frames, closed },
    close: (reason) => link.close(reason),
    send: (frame) => link.send(frame.route.resource === resource ? { ...frame, content } : frame),
  }
}
