import type { StatusCode } from 'node-opcua-client'

/** What a server answered instead of the service; undefined for anything else that went wrong. */
export function faultOf(error: unknown): StatusCode | undefined {
  const response = field(error, 'response')
  const status = field(field(response, 'responseHeader'), 'serviceResult')
  return isStatus(status) && status.value !== 0 ? status : undefined
}

const TOO_LARGE = new Set([
  'BadTooManyOperations',
  'BadRequestTooLarge',
  'BadResponseTooLarge',
  'BadEncodingLimitsExceeded',
  'BadTcpMessageTooLarge',
])
export function isTooLarge(status: StatusCode): boolean {
  return TOO_LARGE.has(status.name)
}

const UNSUPPORTED = new Set([
  'BadServiceUnsupported',
  'BadNotSupported',
  'BadNotImplemented',
  'BadTooManySubscriptions',
])
export function isUnsupported(status: StatusCode | undefined): boolean {
  return status !== undefined && UNSUPPORTED.has(status.name)
}

const MISSING = new Set(['BadNodeIdUnknown', 'BadNodeIdInvalid', 'BadNoMatch', 'BadNotFound'])
export function isMissing(status: StatusCode): boolean {
  return MISSING.has(status.name)
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

function isStatus(value: unknown): value is StatusCode {
  return typeof field(value, 'value') === 'number' && typeof field(value, 'name') === 'string'
}
