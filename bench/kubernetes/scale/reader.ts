import { request } from 'node:https'
import { parentPort, Worker, workerData } from 'node:worker_threads'

/** A client in a thread of its own, so that what it reads does not delay who measures. */
export interface Reading {
  readonly url: string
  readonly path: string
  readonly identity: object
  readonly accept?: string
  /** Ends the reading where it is in the answer; absent: reads to the end. */
  readonly until?: string
}

export interface ReadResult {
  readonly ms: number
  /** Until the first byte of the body. */
  readonly firstMs: number
  readonly bytes: number
  readonly status: number
}

export async function readElsewhere(reading: Reading): Promise<ReadResult> {
  const worker = new Worker(new URL(import.meta.url), { workerData: reading })
  return await new Promise((resolve, reject) => {
    worker.once('message', (result: ReadResult) => resolve(result))
    worker.once('error', reject)
  })
}

function read({ url, path, identity, accept = 'application/json', until }: Reading): void {
  const begin = performance.now()
  const asking = request(url + path, { headers: { accept }, agent: false, ...identity, rejectUnauthorized: false })
  asking.on('response', (response) => {
    let bytes = 0
    let firstMs = 0
    let tail = ''
    const done = () => {
      const ms = performance.now() - begin
      parentPort?.postMessage({ ms, firstMs, bytes, status: response.statusCode ?? 0 })
      response.destroy()
    }
    response.on('data', (chunk: Buffer) => {
      firstMs ||= performance.now() - begin
      bytes += chunk.length
      if (until === undefined) return
      tail = (tail + chunk.toString('latin1')).slice(-2 * until.length - chunk.length)
      if (tail.includes(until)) done()
    })
    response.on('end', done)
  })
  asking.end()
}

if (parentPort) read(workerData)
