import { MessageChannel, Worker } from 'node:worker_threads'
import { plainEnvironment } from '../../../platform/environment/index.ts'
import { describeError } from '../../../platform/lifecycle/index.ts'
import type { Clock } from '../../../platform/time/index.ts'
import type { Runner, RunOptions } from './runner.ts'
import { type Apart, supervise } from './supervise.ts'
import { canWatchHeap, hardLimitOf, watchHeap } from './watch-heap.ts'
import type { WorkerStart } from './worker.ts'

/** Runs a mapper in its own thread. */
export const runInWorker: Runner = (options, signal) => supervise(options, 'thread', () => startThread(options), signal)

function startThread({ source, protocols, folder, broker, heapMegabytes, clock }: RunOptions): Apart {
  const channel = new MessageChannel()
  const { protocol, entry } = source
  const start: WorkerStart = { entry: entry.href, protocol, protocols, folder, broker, bus: channel.port2 }
  const file = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js'
  const worker = new Worker(new URL(file, import.meta.url), {
    name: `mapper-${protocol}`,
    workerData: start,
    transferList: [channel.port2],
    resourceLimits: { maxOldGenerationSizeMb: canWatchHeap() ? hardLimitOf(heapMegabytes) : heapMegabytes },
    env: plainEnvironment(),
    stdout: true,
    stderr: true,
  })
  return {
    control: {
      postMessage: (message) => worker.postMessage(message),
      on: (event: 'message' | 'close', listener: (message: unknown) => void) =>
        worker.on(event === 'close' ? 'exit' : event, listener),
      close: () => undefined,
    },
    bus: channel.port1,
    output: [worker.stdout, worker.stderr],
    ended: endOf(worker, heapMegabytes, clock),
    kill: () => void worker.terminate(),
  }
}

function endOf(worker: Worker, heapMegabytes: number, clock: Clock): Promise<Error | undefined> {
  const { promise, resolve } = Promise.withResolvers<Error | undefined>()
  let failure: Error | undefined
  const grown = () => {
    failure = outOfHeap(heapMegabytes)
    void worker.terminate()
  }
  const watching = canWatchHeap() ? watchHeap(worker, heapMegabytes, clock, grown) : undefined
  worker.on('error', (error: unknown) => {
    failure = error instanceof Error ? error : new Error(describeError(error))
    if ('code' in failure && failure.code === 'ERR_WORKER_OUT_OF_MEMORY') failure = outOfHeap(heapMegabytes)
  })
  worker.once('exit', (code) => {
    watching?.[Symbol.dispose]()
    resolve(failure ?? new Error(`it ended itself with code ${code}`))
  })
  return promise
}

export function outOfHeap(megabytes: number): Error {
  return new Error(`its heap grew beyond ${megabytes} MiB`)
}
