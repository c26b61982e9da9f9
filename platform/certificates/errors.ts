import { RefusedError } from '../lifecycle/errors.ts'

/** A certificate, key or request that cannot be used. `fields.reason` says why. */
export class CertificateError extends RefusedError {}

export function certificateError(reason: string, cause?: unknown): CertificateError {
  return new CertificateError('A certificate, key or certificate request is not valid', {
    code: 'PLATFORM_CERTIFICATE_INVALID',
    fields: { reason },
    cause,
  })
}
