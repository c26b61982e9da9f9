import { readdir } from 'node:fs/promises'
import type { Module } from '../../../platform/lifecycle/index.ts'
import { hasCode } from '../../../platform/lifecycle/index.ts'
import type { PodAccessOptions } from './create-pod-access.ts'
import type { PodAccess } from './pod-access.ts'

/** Pod access that is loaded when there is an account or a pod wants one. */
export function latePodAccess(options: PodAccessOptions): PodAccess & Module {
  let loaded: Promise<PodAccess & Module> | undefined
  const access = () => {
    loaded ??= import('./create-pod-access.ts').then(({ createPodAccess }) => createPodAccess(options))
    return loaded
  }
  return {
    name: 'PodAccess',
    async start(scope) {
      const accounts = await readdir(options.folder).catch(nothingThere)
      if (accounts.length > 0) await (await access()).start(scope)
    },
    grant: async (pod, grants) => (await access()).grant(pod, grants),
    revoke: async (uid) => (await access()).revoke(uid),
    present: async () => (await access()).present(),
  }
}

function nothingThere(error: unknown): readonly string[] {
  if (hasCode(error, 'ENOENT')) return []
  throw error
}
