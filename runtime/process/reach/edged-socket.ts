import { type IncomingMessage, type RequestOptions, request } from 'node:http'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { readFileIfPresent } from '../../../platform/files/index.ts'
import { readBody } from '../../../platform/http/index.ts'
import { RefusedError, UnavailableError } from '../../../platform/lifecycle/index.ts'
import { type Clock, seconds, withDeadline } from '../../../platform/time/index.ts'
import { dataDirectory } from '../data-directory.ts'
import { ENDPOINTS_FILE } from '../endpoints.ts'
import { parseEndpoints } from '../parse-endpoints.ts'

/** Of a list of pods. */
const MOST_BYTES = 64 * 1024 * 1024
const MOST_REFUSAL_BYTES = 64 * 1024
const ANSWER = seconds(30)

/** The kubelet server of the node whose data directory this is. */
export interface EdgedSocket {
  /** The JSON at a path. */
  json(path: string, signal: AbortSignal): Promise<unknown>
  /** What is at a path, as it comes. Rejects with a RefusedError PROCESS_POD_REFUSED in the node's words. */
  open(path: string, signal: AbortSignal): Promise<IncomingMessage>
  /** Has something done; rejects as `open` does. */
  post(path: string, signal: AbortSignal): Promise<void>
  connect(signal: AbortSignal): Promise<Duplex>
}

/** Rejects where no edge that runs pods is on the data directory. */
export async function edgedSocket(data: string | undefined, clock: Clock): Promise<EdgedSocket> {
  const directory = dataDirectory(data, 'ask')
  const socketPath = await socketIn(directory)
  const open = async (path: string, signal: AbortSignal, method = 'GET') => {
    const at = { socketPath, path, method }
    const response = await withDeadline(clock, ANSWER, signal, () => ask(directory, at, signal))
    if (response.statusCode === 200) return response
    const reason = (await readBody(response, MOST_REFUSAL_BYTES, signal)).toString().trim()
    throw new RefusedError(reason, { code: 'PROCESS_POD_REFUSED' })
  }
  return {
    open,
    post: async (path, signal) => void (await open(path, signal, 'POST')).resume(),
    json: async (path, signal) => JSON.parse((await readBody(await open(path, signal), MOST_BYTES, signal)).toString()),
    connect: (signal) =>
      new Promise((resolve, reject) => {
        const socket = createConnection({ path: socketPath, signal })
        socket.once('connect', () => resolve(socket))
        socket.once('error', (cause) => reject(nothingRuns(directory, cause)))
      }),
  }
}

async function socketIn(directory: string): Promise<string> {
  const file = join(directory, ENDPOINTS_FILE)
  const text = await readFileIfPresent(file)
  if (text === undefined) throw nothingRuns(directory)
  const { edged } = parseEndpoints(JSON.parse(text), file)
  if (edged !== undefined) return edged
  throw new RefusedError(
    `what runs in ${directory} runs no pods: name the data directory of an edge with --data, or turn edged.enabled on in its configuration`,
    { code: 'PROCESS_RUNS_NO_PODS' },
  )
}

function ask(directory: string, at: RequestOptions, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request({ ...at, signal, agent: false })
      .on('response', resolve)
      .on('error', (cause) => reject(signal.aborted ? cause : nothingRuns(directory, cause)))
      .end()
  })
}

function nothingRuns(directory: string, cause?: unknown): UnavailableError {
  return new UnavailableError(
    `no edge runs in ${directory}: start it with skerry up or skerry edge, or name another --data`,
    { code: 'PROCESS_NOT_RUNNING', cause },
  )
}
