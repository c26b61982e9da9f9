import { request } from 'node:https'
import { readBody } from '../../../platform/http/index.ts'
import { hasCode, RefusedError, UnavailableError } from '../../../platform/lifecycle/index.ts'
import { type Clock, seconds, withDeadline } from '../../../platform/time/index.ts'

export interface CertificateCall {
  /** HOST:PORT of the certificate endpoint. */
  readonly address: string
  readonly path: '/ca.crt' | '/edge.crt'
  readonly headers?: Readonly<Record<string, string>>
  /** The CSR travels as the body of a GET, as KubeEdge has it. */
  readonly body?: Uint8Array
  /** CA to verify the server with, PEM. Absent: not verified, for the one call that fetches the CA itself. */
  readonly ca?: string
  /** Client certificate, for rotation. */
  readonly client?: { readonly certificate: string; readonly key: string }
}

const DEADLINE = seconds(30)
const LARGEST_ANSWER = 1024 * 1024

/** One call of the certificate endpoint; the body of a 200. Throws RefusedError (4xx) or UnavailableError. */
export function callCertificateEndpoint(call: CertificateCall, clock: Clock, signal?: AbortSignal): Promise<Buffer> {
  const fields = { address: call.address, path: call.path }
  return withDeadline(clock, DEADLINE, signal, (limited) => {
    return new Promise((resolve, reject) => {
      const fail = (cause: unknown) => reject(unreachable(cause, fields))
      const url = new URL(`https://${call.address}${call.path}`)
      const sent = request(
        url,
        {
          method: 'GET',
          agent: false,
          minVersion: 'TLSv1.2',
          ...(call.ca === undefined ? { rejectUnauthorized: false } : { ca: call.ca }),
          ...(call.client === undefined ? {} : { cert: call.client.certificate, key: call.client.key }),
          headers: { ...call.headers, ...(call.body ? { 'content-length': String(call.body.length) } : {}) },
          signal: limited,
        },
        (response) => {
          readBody(response, LARGEST_ANSWER, limited).then((body) => {
            const status = response.statusCode ?? 0
            if (status === 200) return resolve(body)
            const reason = body.toString('utf8').trim().slice(0, 300)
            const details = { code: 'HUB_CERTIFICATE_REFUSED', fields: { ...fields, status } }
            const message = `the cloud refused: ${reason || `HTTP ${status}`}`
            reject(status >= 500 ? new UnavailableError(message, details) : new RefusedError(message, details))
          }, fail)
        },
      )
      sent.on('error', fail)
      sent.end(call.body)
    })
  })
}

function unreachable(cause: unknown, fields: Readonly<Record<string, string>>): UnavailableError {
  // A board without a battery starts in the past.
  if (hasCode(cause, 'CERT_NOT_YET_VALID')) {
    const message = 'The certificate of the cloud is not yet valid by the clock of this machine: set the clock'
    return new UnavailableError(message, { code: 'HUB_CLOCK_BEHIND', fields, cause })
  }
  const code = 'HUB_CERTIFICATES_UNREACHABLE'
  return new UnavailableError('The certificate endpoint cannot be reached', { code, fields, cause })
}
