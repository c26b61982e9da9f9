import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { JsonObject } from '../../../schemas/index.ts'
import type { Status } from '../../kube/status.ts'

/** How a request ends, before it is written to a socket. */
export interface Answer {
  readonly code: number
  readonly type: string
  /** Made when it is asked for first. */
  readonly text: string
  /** What the text says, where that is the JSON of one object. Others hold it, too: nobody changes it. */
  readonly object?: JsonObject
  /** What is sent instead of the text, where it is none. */
  readonly bytes?: Uint8Array
  /** The same text piece by piece, where it may be long: nobody has to hold all of it. Indented, if it is JSON, for people. */
  readonly parts?: (isIndented?: boolean) => Iterator<string>
  readonly headers?: Readonly<Record<string, string>>
}

/** One event of a watch. */
export interface StreamEvent {
  /** ADDED, MODIFIED, DELETED, BOOKMARK or ERROR. */
  readonly type: string
  /** Others hold it, too: nobody changes it. */
  readonly object: JsonObject
  /** Its JSON, made when it is asked for first. */
  readonly text: string
}

/** Sends one event of a watch; settles when the client may get more. Never rejects: a client that left ends the signal. */
export type SendEvent = (event: StreamEvent) => Promise<void> | undefined

/** A watch: `run` settles when it ends, by itself or with the signal. */
export interface Stream {
  readonly type: string
  run(send: SendEvent, signal: AbortSignal): Promise<void>
}

/** A request with all that it can be answered on. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Where it asks for another protocol: the bare connection, after `takeSocket`. */
  readonly upgrade?: { readonly socket: Duplex; readonly head: Buffer }
}

/** What somebody else says, handed on as it comes: he writes head and body, or speaks another protocol. */
export interface Relay {
  /** For records, as it is known before the first byte. */
  readonly code: number
  /** Settles when it is over. */
  relay(exchange: Exchange, signal: AbortSignal): Promise<void>
  /** Instead of `relay`, where nobody takes it. */
  drop(): void
}

export type Reply = Answer | Stream | Relay

export function isRelay(reply: Reply): reply is Relay {
  return 'relay' in reply
}

export function isStream(reply: Reply): reply is Stream {
  return 'run' in reply
}

export function eventLine({ type, text }: StreamEvent): string {
  return `{"type":"${type}","object":${text}}\n`
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
