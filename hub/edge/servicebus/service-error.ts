import { SkerryError } from '../../../platform/lifecycle/index.ts'
import { SERVICE_ERROR_HEADER } from '../../../schemas/index.ts'

/** Why ServiceBus answers in the place of a service, or of the cloud, and with which HTTP status. */
export class ServiceError extends SkerryError {
  readonly status: number

  constructor(status: number, message: string, details: ServiceErrorDetails) {
    super(message, details, status === 503 || status === 504 ? 'backoff' : 'never')
    this.status = status
  }
}

export interface ServiceErrorDetails {
  readonly code: string
  readonly fields?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

/** An error as HTTP tells it. What is no `ServiceError` is told without what is inside. */
export function errorAnswer(error: unknown): {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
} {
  const known = error instanceof SkerryError ? error : undefined
  const status = error instanceof ServiceError ? error.status : known?.retry === 'backoff' ? 503 : 500
  const code = known?.code ?? 'HUB_SERVICE_FAILED'
  const message = known?.message ?? 'ServiceBus failed inside'
  const body = Buffer.from(`${JSON.stringify({ code, message, fields: known?.fields ?? {} })}\n`)
  const headers = {
    'content-type': 'application/json',
    'content-length': String(body.length),
    'cache-control': 'no-store',
    [SERVICE_ERROR_HEADER]: code,
  }
  return { status, headers, body }
}
