import { access } from 'node:fs/promises'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import type { Clock } from '../../../platform/time/index.ts'
import type { CriChannel } from './channel.ts'

/** Where Debian, Fedora, Alpine and k3s have their runtimes. */
export const USUAL_SOCKETS = [
  '/run/containerd/containerd.sock',
  '/run/crio/crio.sock',
  '/run/k3s/containerd/containerd.sock',
  '/run/cri-dockerd.sock',
] as const

/**
 * A channel to the first of these sockets that is there, found and opened when it is first used: a node without a container
 * runtime pays for none, and one that is installed later is found. Calls reject with an UnavailableError, EDGED_RUNTIME_MISSING, until then.
 */
export function lateChannel(endpoints: readonly string[], clock: Clock): CriChannel {
  let opened: Promise<CriChannel> | undefined
  const channel = async (): Promise<CriChannel> => {
    if (opened) return opened
    const endpoint = await firstPresent(endpoints)
    if (endpoint === undefined) {
      throw new UnavailableError('There is no container runtime on this node', {
        code: 'EDGED_RUNTIME_MISSING',
        fields: { sockets: endpoints },
      })
    }
    opened ??= import('./grpc-channel.ts').then(({ openCriChannel }) => openCriChannel(endpoint, clock))
    return opened
  }
  return {
    call: async (method, request, deadline, signal) => (await channel()).call(method, request, deadline, signal),
    async *stream(method, request, signal) {
      yield* (await channel()).stream(method, request, signal)
    },
    [Symbol.dispose]() {
      void opened?.then((each) => each[Symbol.dispose]())
      opened = undefined
    },
  }
}

export async function isSocketThere(endpoints: readonly string[]): Promise<boolean> {
  return (await firstPresent(endpoints)) !== undefined
}

async function firstPresent(endpoints: readonly string[]): Promise<string | undefined> {
  for (const endpoint of endpoints) {
    if (await isPresent(endpoint.replace(/^unix:\/\//, ''))) return endpoint
  }
  return undefined
}

async function isPresent(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false
    throw error
  }
}
