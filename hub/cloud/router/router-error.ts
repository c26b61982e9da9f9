import { RefusedError, SkerryError, UnavailableError } from '../../../platform/lifecycle/index.ts'
import { DeadlineError } from '../../../platform/time/index.ts'

/** What a caller of the Router is answered when its call is not answered by the other side. */
export interface CallerAnswer {
  readonly status: number
  readonly code: string
  /** One sentence for people. */
  readonly message: string
  readonly retryAfterSeconds?: number
}

/** Ends a call with an answer of the Router itself. */
export class CallRefusal extends Error {
  override readonly name = 'CallRefusal'
  readonly answer: CallerAnswer

  constructor(answer: CallerAnswer) {
    super(answer.message)
    this.answer = answer
  }
}

const OF_CODES: Readonly<Record<string, Omit<CallerAnswer, 'code'>>> = {
  HUB_NODE_AWAY: { status: 503, message: 'the node is not connected', retryAfterSeconds: 5 },
  HUB_NODE_BUSY: { status: 503, message: 'too many calls wait for this node', retryAfterSeconds: 1 },
  HUB_NODE_SILENT: { status: 504, message: 'the node has not answered in time' },
  HUB_NO_TUNNEL: { status: 503, message: 'the node has no tunnel', retryAfterSeconds: 5 },
  HUB_TUNNEL_BUSY: { status: 503, message: 'too many calls use the tunnel of this node', retryAfterSeconds: 1 },
  HUB_TUNNEL_REFUSED: { status: 502, message: 'the node serves no local services' },
  HUB_TUNNEL_CLOSED: { status: 502, message: 'the node left before it had answered' },
  PLATFORM_BODY_TOO_LARGE: { status: 413, message: 'the body is larger than the rule allows' },
  PLATFORM_DEADLINE: { status: 504, message: 'the node has not answered in time' },
}

/** What a failed call is answered with. The caller is never told more than that it may know. */
export function answerOf(error: unknown): CallerAnswer {
  if (error instanceof CallRefusal) return error.answer
  const code = error instanceof SkerryError || error instanceof DeadlineError ? error.code : 'PLATFORM_INTERNAL'
  if (code === 'HUB_NODE_REFUSED' && error instanceof SkerryError) return refusalOfNode(String(error.fields['reason']))
  if (code === 'HUB_NODE_AWAY' && error instanceof SkerryError && error.fields['wasSent'] === true)
    return { status: 502, code, message: 'the node left before it had answered; it may have got the message' }
  const known = OF_CODES[code]
  if (known) return { code, ...known }
  const status = error instanceof UnavailableError ? 503 : error instanceof RefusedError ? 502 : 500
  return { status, code, message: 'the call could not be served' }
}

/** `<CODE>: <reason>`, as Skerry's edges write it. */
function refusalOfNode(text: string): CallerAnswer {
  const [, code = 'HUB_NODE_REFUSED', message = text] = /^([A-Z][A-Z0-9_]{2,60}): (.*)$/s.exec(text) ?? []
  return { status: 502, code, message: `the node refused it: ${message.slice(0, 300)}` }
}
