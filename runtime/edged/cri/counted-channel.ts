import type { Metrics } from '../../../platform/health/index.ts'
import type { CriChannel } from './channel.ts'

/** The same channel; its calls are counted by method, and those that failed as well. */
export function countedChannel(channel: CriChannel, metrics: Metrics): CriChannel {
  const labels = ['method']
  const calls = metrics.counter({
    name: 'skerry_edged_runtime_calls_total',
    help: 'Calls to the container runtime, by method of CRI.',
    labels,
  })
  const failures = metrics.counter({
    name: 'skerry_edged_runtime_call_failures_total',
    help: 'Calls to the container runtime that it refused or did not answer; one that asks for what is gone counts here as well.',
    labels,
  })
  return {
    async call(method, request, deadline, signal) {
      calls.add(1, { method })
      try {
        return await channel.call(method, request, deadline, signal)
      } catch (error) {
        if (!signal?.aborted) failures.add(1, { method })
        throw error
      }
    },
    stream(method, request, signal) {
      calls.add(1, { method })
      return channel.stream(method, request, signal)
    },
    [Symbol.dispose]: () => channel[Symbol.dispose](),
  }
}
