import { pipeline } from 'node:stream/promises'
import { ConfigError, hasCode, UnavailableError } from '../../../platform/lifecycle/index.ts'
import { systemClock as clock } from '../../../platform/time/index.ts'
import type { CommonOptions } from '../command-options.ts'
import { parseDuration } from '../duration-text.ts'
import { EXIT } from '../exit.ts'
import { containerRuns } from '../reach/container-runs.ts'
import { type EdgedSocket, edgedSocket } from '../reach/edged-socket.ts'
import { chosenContainer, nodePod } from '../reach/node-pod.ts'
import { stopSignal } from '../signals.ts'
import type { Console } from '../terminal.ts'

export interface LogsOptions extends CommonOptions {
  readonly namespace?: string
  readonly container?: string
  readonly follow?: boolean
  readonly previous?: boolean
  readonly tail?: string
  readonly since?: string
  readonly timestamps?: boolean
}

/** `skerry logs POD`: the log of a container of this node, with or without the cloud. With --follow it goes on over restarts. */
export async function logs(name: string, options: LogsOptions, terminal: Console): Promise<number> {
  if (options.output === 'json')
    throw new ConfigError('a log is printed as the container wrote it: leave out -o json', {
      code: 'PROCESS_LOG_NOT_JSON',
    })
  const query = queryOf(options)
  const edged = await edgedSocket(options.data, clock)
  const signal = stopSignal(() => process.exit(EXIT.unclean))
  try {
    const pod = await nodePod(edged, { namespace: options.namespace, name }, signal)
    const { container, note } = chosenContainer(pod, options.container)
    if (note !== undefined) terminal.error(note)
    const path = `/containerLogs/${pod.namespace}/${pod.name}/${container}`
    if (options.follow !== true || options.previous === true) {
      await print(edged, `${path}?${query}`, signal)
      return EXIT.ok
    }
    // What is asked of the log counts for the run of now; later ones are printed from their beginning.
    let asked = query
    const rest = new URLSearchParams({ follow: 'true', ...(options.timestamps === true ? { timestamps: 'true' } : {}) })
    const of = { namespace: pod.namespace, name: pod.name, container }
    for await (const _run of containerRuns(edged, of, clock, signal)) {
      await print(edged, `${path}?${asked}`, signal)
      asked = rest
    }
  } catch (error) {
    if (!signal.aborted && !isClosedPipe(error)) throw error
  }
  return EXIT.ok
}

async function print(edged: EdgedSocket, path: string, signal: AbortSignal): Promise<void> {
  const answer = await edged.open(path, signal)
  try {
    await pipeline(answer, process.stdout, { end: false, signal })
  } catch (error) {
    if (signal.aborted || isClosedPipe(error)) throw error
    const said = 'the edge ended before the log did: run the command again when it is back'
    throw new UnavailableError(said, { code: 'PROCESS_LOG_CUT_OFF' })
  }
}

function queryOf({ follow, previous, timestamps, tail, since }: LogsOptions): URLSearchParams {
  const query = new URLSearchParams()
  for (const [key, isSet] of Object.entries({ follow, previous, timestamps }))
    if (isSet === true) query.set(key, 'true')
  if (tail !== undefined && tail !== '-1') {
    if (!/^\d{1,15}$/.test(tail))
      throw new ConfigError(`"${tail}" is no number of lines: write --tail 20`, { code: 'PROCESS_LOG_TAIL_INVALID' })
    query.set('tailLines', tail)
  }
  if (since !== undefined)
    query.set('sinceTime', new Date(clock.now() - parseDuration(since).milliseconds).toISOString())
  return query
}

/** Whoever read has seen enough: `skerry logs till | head`. */
function isClosedPipe(error: unknown): boolean {
  return hasCode(error, 'EPIPE')
}
