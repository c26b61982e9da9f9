import type { ServerResponse } from 'node:http'
import { ConfigError, ConflictError, RefusedError, SkerryError, UnavailableError } from '../lifecycle/errors.ts'

/** Ends the response with JSON. */
export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  sendText(response, status, 'application/json', `${JSON.stringify(value ?? null)}\n`)
}

export function sendText(response: ServerResponse, status: number, type: string, text: string): void {
  const body = Buffer.from(text)
  response.writeHead(status, { 'content-type': type, 'content-length': body.length, 'cache-control': 'no-store' })
  response.end(body)
}

/** An error as the other side of a local connection gets it: `{ code, message, fields }`. */
export function errorAnswer(error: unknown): {
  status: number
  body: { code: string; message: string; fields: object }
} {
  if (!(error instanceof SkerryError)) {
    const message = error instanceof Error ? error.message : String(error)
    return { status: 500, body: { code: 'PLATFORM_INTERNAL', message, fields: {} } }
  }
  return { status: statusOf(error), body: { code: error.code, message: error.message, fields: error.fields } }
}

function statusOf(error: SkerryError): number {
  if (error.code === 'PLATFORM_BODY_TOO_LARGE') return 413
  if (error instanceof ConfigError) return 400
  if (error instanceof RefusedError) return 403
  if (error instanceof ConflictError) return 409
  return error instanceof UnavailableError ? 503 : 500
}
