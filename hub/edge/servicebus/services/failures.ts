import { describeError } from '../../../../platform/lifecycle/index.ts'
import type { Duration } from '../../../../platform/time/index.ts'
import type { LocalServiceConfig } from '../../../../schemas/config/index.ts'
import { ServiceError } from '../service-error.ts'

/** What Node.js says of a connection to a service. */
export function failureOf(error: unknown, service: LocalServiceConfig): ServiceError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code.startsWith('HPE_') || code.startsWith('ERR_HTTP_')) return malformedAnswer(service, describeError(error))
  if (code === 'ECONNRESET' || code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE') return cutOff(service, error)
  return new ServiceError(502, 'The local service cannot be reached', {
    code: 'HUB_SERVICE_UNREACHABLE',
    fields: { port: service.port, reason: describeError(error) },
    cause: error,
  })
}

export function cutOff(service: LocalServiceConfig, cause?: unknown): ServiceError {
  return new ServiceError(502, 'The local service broke off', {
    code: 'HUB_SERVICE_CUT_OFF',
    fields: { port: service.port },
    cause,
  })
}

export function malformedAnswer(service: LocalServiceConfig, reason: string): ServiceError {
  return new ServiceError(502, 'The local service answered with what is no HTTP', {
    code: 'HUB_SERVICE_ANSWER_MALFORMED',
    fields: { port: service.port, reason },
  })
}

export function answerTooLarge(service: LocalServiceConfig, maxBytes: number): ServiceError {
  return new ServiceError(502, 'The answer of the local service is too large', {
    code: 'HUB_SERVICE_ANSWER_TOO_LARGE',
    fields: { port: service.port, maxBytes },
  })
}

export function requestTooLarge(maxBytes: number): ServiceError {
  return new ServiceError(413, 'The body is too large to be passed on', {
    code: 'HUB_SERVICE_REQUEST_TOO_LARGE',
    fields: { maxBytes },
  })
}

export function timedOut(
  { service, within }: { readonly service: LocalServiceConfig; readonly within: Duration },
  waitsForCaller: boolean,
): ServiceError {
  if (waitsForCaller) {
    return new ServiceError(408, 'The caller of the local service has stopped', {
      code: 'HUB_SERVICE_CALLER_STALLED',
      fields: { port: service.port },
    })
  }
  return new ServiceError(504, 'The local service has not answered in time', {
    code: 'HUB_SERVICE_TIMEOUT',
    fields: { port: service.port, withinMs: within.milliseconds },
  })
}
