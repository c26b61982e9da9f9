import type { Status } from '../../kube/status.ts'

/** How a request ends, before it is written to a socket. */
export interface Answer {
  readonly code: number
  readonly type: string
  readonly text: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Sends one line of a watch; settles when the client may get more. Never rejects: a client that left ends the signal. */
export type SendLine = (line: string) => Promise<void> | undefined

/** A watch: `run` settles when it ends, by itself or with the signal. */
export interface Stream {
  readonly type: string
  run(send: SendLine, signal: AbortSignal): Promise<void>
}

export type Reply = Answer | Stream

export function isStream(reply: Reply): reply is Stream {
  return 'run' in reply
}

export function statusAnswer(status: Status): Answer {
  const retry = status.details?.retryAfterSeconds
  return {
    code: status.code,
    type: 'application/json',
    text: `${JSON.stringify(status)}\n`,
    ...(retry === undefined ? {} : { headers: { 'retry-after': String(retry) } }),
  }
}

export function plainAnswer(code: number, text: string): Answer {
  return { code, type: 'text/plain; charset=utf-8', text }
}
