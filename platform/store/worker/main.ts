import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../time/system-clock.ts'
import type { FromWorker, ReadRequest, Request, Result, ToWorker, WorkerSettings, WriteRequest } from '../protocol.ts'
import { type Engine, startEngine } from './engine.ts'
import { failureOf } from './failure.ts'

/**
 * The store's worker. It takes what waits in its port, commits all writes of it by one transaction, and answers: the slower
 * the disk and the heavier the load, the larger the groups.
 */
async function serve(port: MessagePort, settings: WorkerSettings): Promise<void> {
  const send = (message: FromWorker) => port.postMessage(message)
  try {
    const { engine, ...started } = await startEngine(settings)
    port.on('message', (message: ToWorker) => {
      if (!work(engine, port, settings.groupSize, message, send)) port.close()
    })
    send({ kind: 'ready', ...started })
  } catch (error) {
    send({ kind: 'unusable', failure: failureOf(error) })
    port.close()
  }
}

/** Serves what waits; false once the store was closed. */
function work(
  engine: Engine,
  port: MessagePort,
  groupSize: number,
  first: ToWorker,
  send: (message: FromWorker) => void,
): boolean {
  const waiting: Request[] = []
  let isClosing = false
  const take = (message: ToWorker) => {
    if (message.kind === 'close') isClosing = true
    else waiting.push(...message.requests)
  }
  take(first)
  while (true) {
    while (!isClosing && waiting.length < groupSize) {
      const next: { message: ToWorker } | undefined = receiveMessageOnPort(port)
      if (!next) break
      take(next.message)
    }
    if (waiting.length === 0) break
    serveGroup(engine, waiting.splice(0, groupSize), send)
  }
  if (!isClosing) return true
  engine.close()
  send({ kind: 'closed' })
  return false
}

/** Reads that came before any write are answered at once; those behind a write see it. */
function serveGroup(engine: Engine, group: readonly Request[], send: (message: FromWorker) => void): void {
  const writes: WriteRequest[] = []
  const early: Result[] = []
  const late: ReadRequest[] = []
  for (const request of group) {
    if (request.kind === 'write') writes.push(request)
    else if (writes.length === 0) early.push(engine.read(request))
    else late.push(request)
  }
  if (early.length > 0) send({ kind: 'results', results: early, writes: 0, milliseconds: 0 })
  if (writes.length === 0) return
  const start = systemClock.monotonic()
  const committed = engine.commit(writes)
  const milliseconds = systemClock.monotonic() - start
  send({ kind: 'results', results: committed, writes: writes.length, milliseconds })
  if (late.length === 0) return
  send({ kind: 'results', results: late.map((request) => engine.read(request)), writes: 0, milliseconds: 0 })
}

if (parentPort) await serve(parentPort, workerData)
