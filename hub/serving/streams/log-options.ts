import { timestamp } from '../../kube/object/index.ts'
import { badRequest, invalid, type StatusCause } from '../../kube/status.ts'
import { flagIn, integerIn } from './query-values.ts'

export interface LogOptions {
  readonly container: string
  readonly follow: boolean
  readonly isUnchecked: boolean
  /** As the kubelet takes them. */
  readonly query: URLSearchParams
}

/** As Go prints a path without a name. */
const NO_FIELD = '[]'
const STREAMS = ['All', 'Stderr', 'Stdout']

/** v1.PodLogOptions. Throws a Status. */
export function logOptions(asked: URLSearchParams, pod: string): LogOptions {
  const [sinceSeconds, tailLines, limitBytes] = [
    integerIn(asked, 'sinceSeconds'),
    integerIn(asked, 'tailLines'),
    integerIn(asked, 'limitBytes'),
  ]
  const sinceTime = timeIn(asked, 'sinceTime')
  const stream = asked.get('stream') ?? undefined
  const causes = [
    ...(tailLines !== undefined && tailLines < 0n
      ? [wrong('tailLines', `Invalid value: ${tailLines}: must be greater than or equal to 0`)]
      : []),
    ...(limitBytes !== undefined && limitBytes < 1n ? [tooSmall('limitBytes', limitBytes)] : []),
    ...sinceCauses(sinceSeconds, sinceTime),
    ...streamCauses(stream, tailLines),
  ]
  if (causes.length > 0) throw invalid({ group: '', kind: 'PodLogOptions' }, pod, causes)
  const query = new URLSearchParams()
  const follow = flagIn(asked, 'follow')
  const set = (name: string, value: string | undefined) => value !== undefined && query.set(name, value)
  set('follow', follow ? 'true' : undefined)
  set('limitBytes', limitBytes?.toString())
  set('previous', flagIn(asked, 'previous') ? 'true' : undefined)
  set('sinceSeconds', sinceSeconds?.toString())
  set('sinceTime', sinceTime)
  set('stream', stream)
  set('tailLines', tailLines?.toString())
  set('timestamps', flagIn(asked, 'timestamps') ? 'true' : undefined)
  const isUnchecked = flagIn(asked, 'insecureSkipTLSVerifyBackend')
  return { container: asked.get('container') ?? '', follow, isUnchecked, query }
}

function sinceCauses(seconds: bigint | undefined, time: string | undefined): readonly StatusCause[] {
  if (seconds === undefined) return []
  if (time !== undefined) {
    const message = 'Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified'
    return [{ reason: 'FieldValueForbidden', message, field: NO_FIELD }]
  }
  return seconds < 1n ? [tooSmall('sinceSeconds', seconds)] : []
}

/** Upstream knows the field behind a feature gate alone, and says the same then. */
function streamCauses(stream: string | undefined, tailLines: bigint | undefined): readonly StatusCause[] {
  if (stream === undefined) return []
  const causes: StatusCause[] = []
  if (!STREAMS.includes(stream)) {
    const supported = STREAMS.map((each) => JSON.stringify(each)).join(', ')
    const message = `Unsupported value: ${JSON.stringify(stream)}: supported values: ${supported}`
    causes.push({ reason: 'FieldValueNotSupported', message, field: 'stream' })
  }
  if (stream !== 'All' && tailLines !== undefined) {
    const message = 'Forbidden: `tailLines` and specific `stream` are mutually exclusive for now'
    causes.push({ reason: 'FieldValueForbidden', message, field: NO_FIELD })
  }
  return causes
}

function tooSmall(field: string, value: bigint): StatusCause {
  return wrong(field, `Invalid value: ${value}: must be greater than 0`)
}

function wrong(field: string, message: string): StatusCause {
  return { reason: 'FieldValueInvalid', message, field }
}

/** RFC 3339; the kubelet gets it in UTC and whole seconds. */
function timeIn(query: URLSearchParams, name: string): string | undefined {
  const text = query.get(name)
  if (text === null || text === '' || text === 'null') return undefined
  const isTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/.test(text)
  const unixMs = isTime ? Date.parse(text) : Number.NaN
  if (Number.isNaN(unixMs)) {
    const quoted = JSON.stringify(text)
    throw badRequest(`parsing time ${quoted} as "2006-01-02T15:04:05Z07:00": cannot parse ${quoted} as "2006"`)
  }
  return timestamp(unixMs)
}
