import { KubeletRefusal } from '../answers.ts'
import type { LogStream } from './log-header.ts'
import type { LogRequest } from './read-log.ts'

/** PodLogOptions of Kubernetes. */
export interface LogOptions {
  readonly request: LogRequest
  /** Of the container before this one. */
  readonly isPrevious: boolean
}

const STREAMS: ReadonlyMap<string, LogStream | undefined> = new Map([
  ['All', undefined],
  ['Stdout', 'stdout'],
  ['Stderr', 'stderr'],
])
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

/** Throws what a kubelet answers to options that are none. `now` is Unix ms. */
export function logOptions(query: URLSearchParams, now: number): LogOptions {
  // `tail` is the name of old clients; `all` means that none is given.
  const tail = query.get('tail')
  const tailLines = tail === 'all' ? undefined : whole(tail || query.get('tailLines'))
  const [limitBytes, sinceSeconds] = [whole(query.get('limitBytes')), whole(query.get('sinceSeconds'))]
  const sinceTime = momentOf(query.get('sinceTime'))
  const named = query.get('stream') ?? 'All'
  if (tailLines !== undefined && tailLines < 0) throw invalid('tailLines must not be negative')
  if (limitBytes !== undefined && limitBytes < 1) throw invalid('limitBytes must be greater than 0')
  if (sinceSeconds !== undefined && sinceSeconds < 1) throw invalid('sinceSeconds must be greater than 0')
  if (sinceSeconds !== undefined && sinceTime !== undefined)
    throw invalid('at most one of sinceTime or sinceSeconds may be specified')
  if (!STREAMS.has(named)) throw invalid('stream must be All, Stdout or Stderr')
  const stream = STREAMS.get(named)
  if (stream !== undefined && tailLines !== undefined)
    throw invalid('tailLines and specific stream are mutually exclusive for now')
  const since = sinceSeconds === undefined ? sinceTime : now - sinceSeconds * 1000
  return {
    isPrevious: flag(query.get('previous')),
    request: {
      ...{ follow: flag(query.get('follow')), timestamps: flag(query.get('timestamps')) },
      ...(stream === undefined ? {} : { stream }),
      ...(since === undefined ? {} : { since }),
      ...(tailLines === undefined ? {} : { tailLines }),
      ...(limitBytes === undefined ? {} : { limitBytes }),
    },
  }
}

function whole(text: string | null): number | undefined {
  if (text === null || text === '') return undefined
  if (!/^-?\d{1,18}$/.test(text)) throw unreadable()
  return Number(text)
}

function momentOf(text: string | null): number | undefined {
  if (text === null || text === '') return undefined
  const moment = RFC3339.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(moment)) throw unreadable()
  return moment
}

/** As Kubernetes reads a boolean of a query: all but these two is true. */
function flag(text: string | null): boolean {
  return text !== null && text.toLowerCase() !== 'false' && text !== '0'
}

function unreadable(): KubeletRefusal {
  return new KubeletRefusal(400, '{"message": "Unable to decode query."}')
}

function invalid(reason: string): KubeletRefusal {
  return new KubeletRefusal(422, `{"message": "Invalid request: ${reason}."}`)
}
