import type { Store } from '../../../platform/store/index.ts'
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

/** Faults that a careless change could bring; each breaks a promise that a few histories find out. */
export const MUTANTS = {
  'acknowledges before the disk has it': {
    store: (store) => ({
      ...store,
      async write(calls) {
        store.write(calls).catch(() => undefined)
      },
      [Symbol.asyncDispose]: async () => undefined,
    }),
  },
  'deletes by name, whatever the uid': {
    meta: (meta) => ({
      ...meta,
      receive: (frame) =>
        meta.receive(frame.route.operation === 'delete' ? { ...frame, content: { metadata: {} } } : frame),
    }),
  },
  'keeps what was confirmed when its database is another': {
    store: (store) => ({
      ...store,
      write: (calls) => store.write(calls.filter(({ statement }) => statement !== 'meta.unmarkAll')),
      [Symbol.asyncDispose]: async () => undefined,
    }),
  },
  'tells the cloud always the same epoch': {
    caller: (caller) => ({ ...caller, headers: { ...caller.headers, 'x-skerry-epoch': 'always' } }),
  },
  'confirms a report before the API has it': {
    kubernetes: (kubernetes) => ({
      ...kubernetes,
      patch: async (type, at, body, options, signal) => {
        const present = type.plural === 'devices' ? await kubernetes.get(type, at, signal) : undefined
        if (!present) return kubernetes.patch(type, at, body, options, signal)
        kubernetes.patch(type, at, body, options, signal).catch(() => undefined)
        return present
      },
    }),
  },
} as const satisfies Readonly<Record<string, Mutant>>
