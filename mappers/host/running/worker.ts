import { isMainThread, type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { MapperStart } from './messages.ts'
import { runMapperApart } from './run-apart.ts'

/** What `runInWorker` hands over. */
export interface WorkerStart extends MapperStart {
  /** Serves the bus at its other end. */
  readonly bus: MessagePort
}

function startOf(data: unknown): WorkerStart
function startOf(data: unknown): unknown {
  return data
}

if (!isMainThread && parentPort) {
  const start = startOf(workerData)
  await runMapperApart(start, parentPort, start.bus)
}
