import { RefusedError } from '../../../platform/lifecycle/index.ts'
import { runtimeOver } from '../cri/cri-runtime.ts'
import type { Message } from '../cri/methods.ts'
import type { ContainerRuntime } from '../cri/runtime.ts'

/** Answers requests within the process, as ScriptedRuntime does over a socket; the signal is that of the caller. */
export interface ChannelScripts {
  [method: string]: (request: Message, signal: AbortSignal | undefined) => Message | Promise<Message>
}

/** A runtime without a socket, for tests on virtual time. What has no script is refused. */
export function scriptedChannel(scripts: ChannelScripts) {
  const calls: { readonly method: string; readonly request: Message }[] = []
  const runtime: ContainerRuntime = runtimeOver({
    async call(method, request, _deadline, signal) {
      signal?.throwIfAborted()
      calls.push({ method, request })
      const script = scripts[method]
      if (!script) throw refusal(`method ${method} not implemented`)
      return script(request, signal)
    },
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
