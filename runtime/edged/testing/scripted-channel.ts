import { RefusedError, UnavailableError } from '../../../platform/lifecycle/index.ts'
import { type Clock, DeadlineError, withDeadline } from '../../../platform/time/index.ts'
import type { CriChannel } from '../cri/channel.ts'
import { runtimeOver } from '../cri/cri-runtime.ts'
import type { Message } from '../cri/methods.ts'
import type { ContainerRuntime } from '../cri/runtime.ts'

/** Answers requests within the process, as ScriptedRuntime does over a socket; the signal is that of the caller. */
export interface ChannelScripts {
  [method: string]: (request: Message, signal: AbortSignal | undefined) => Message | Promise<Message>
}

/** A runtime without a socket, for tests on virtual time. What has no script is refused. With a clock its calls have their deadlines. */
export function scriptedChannel(scripts: ChannelScripts, clock?: Clock) {
  const calls: { readonly method: string; readonly request: Message }[] = []
  const answer = async (method: string, request: Message, signal: AbortSignal | undefined): Promise<Message> => {
    signal?.throwIfAborted()
    calls.push({ method, request })
    const script = scripts[method]
    if (!script) throw refusal(`method ${method} not implemented`)
    return script(request, signal)
  }
  const call: CriChannel['call'] = async (method, request, deadline, signal) => {
    if (!clock) return answer(method, request, signal)
    try {
      return await withDeadline(clock, deadline, signal, (limited) => answer(method, request, limited))
    } catch (error) {
      throw error instanceof DeadlineError ? silence(method) : error
    }
  }
  const runtime: ContainerRuntime = runtimeOver({
    call,
    stream: (method) => ({
      [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(refusal(`method ${method} not implemented`)) }),
    }),
    [Symbol.dispose]: () => undefined,
  })
  return { runtime, calls, countOf: (method: string) => calls.filter((call) => call.method === method).length }
}

/** A runtime's no, in its words. */
export function refusal(words: string): RefusedError {
  return new RefusedError(words, { code: 'EDGED_RUNTIME_REFUSED' })
}

/** Nobody answers. */
export function silence(method: string): UnavailableError {
  return new UnavailableError('The container runtime does not answer', {
    code: 'EDGED_RUNTIME_UNAVAILABLE',
    fields: { method },
  })
}

/** The runtime knows no such thing. */
export function notFound(what: unknown): RefusedError {
  const words = `${String(what)}: not found`
  return new RefusedError(words, {
    code: 'EDGED_RUNTIME_REFUSED',
    cause: Object.assign(new Error(words), { code: 5 }),
  })
}
