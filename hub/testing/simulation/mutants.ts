import type { Store } from '../../../platform/store/index.ts'
import { EPOCH_HEADER, OPERATIONS } from '../../../schemas/index.ts'
import type { Kubernetes } from '../../cloud/kubernetes/kubernetes.ts'
import type { MetaManager } from '../../edge/meta/meta-manager.ts'
import type { Caller } from './ground/network.ts'

/** What stands around parts of the product to break them. */
export interface Mutant {
  readonly store?: (store: Store) => Store
  readonly meta?: (meta: MetaManager) => MetaManager
  readonly kubernetes?: (kubernetes: Kubernetes) => Kubernetes
  readonly caller?: (caller: Caller) => Caller
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
}

function storeWith(store: Store, write: Store['write']): Store {
  return { read: (call) => store.read(call), write, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
}
