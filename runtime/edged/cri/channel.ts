import type { Duration } from '../../../platform/time/index.ts'
import type { Message } from './methods.ts'

/** CRI over one socket. */
export interface CriChannel extends Disposable {
  call(method: string, request: Message, deadline: Duration, signal: AbortSignal | undefined): Promise<Message>
  stream(method: string, request: Message, signal: AbortSignal): AsyncIterable<Message>
}

/** gRPC status codes. */
const DEADLINE_EXCEEDED = 4
const NOT_FOUND = 5

export function isNotFound(error: unknown): boolean {
  return grpcCodeOf(error) === NOT_FOUND
}

export function isTimeout(error: unknown): boolean {
  return grpcCodeOf(error) === DEADLINE_EXCEEDED
}

/** The gRPC status behind an error of a channel. */
export function grpcCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && typeof error.code === 'number') return error.code
  return error.cause === undefined ? undefined : grpcCodeOf(error.cause)
}
