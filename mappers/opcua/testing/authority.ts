import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CertificateFiles } from '../../simulators/opcua/certificate.ts'

export interface Issuing {
  readonly subject: string
  /** As openssl names them, e.g. `URI:urn:a,IP:127.0.0.1`. */
  readonly names?: string
  readonly isAuthority?: boolean
  readonly days?: number
}

/** Not that of this process: the library leaves a variable in it that openssl stumbles over. */
const ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin' }

/** Makes certificates with openssl: signed by themselves, or by another one that it made. */
export function issue(folder: string, about: Issuing, by?: CertificateFiles): CertificateFiles {
  mkdirSync(folder, { recursive: true })
  const [certificateFile, keyFile, request, extensions] = ['certificate.pem', 'key.pem', 'request.pem', 'ext.cnf'].map(
    (name) => join(folder, name),
  )
  if (!certificateFile || !keyFile || !request || !extensions) throw new Error('no folder')
  const lines = [
    `basicConstraints=critical,CA:${about.isAuthority === true ? 'TRUE' : 'FALSE'}`,
    `keyUsage=critical,digitalSignature,nonRepudiation,keyEncipherment,dataEncipherment${about.isAuthority === true ? ',keyCertSign' : ''}`,
    'subjectKeyIdentifier=hash',
    ...(about.names === undefined ? [] : [`subjectAltName=${about.names}`, 'extendedKeyUsage=serverAuth,clientAuth']),
  ]
  writeFileSync(extensions, lines.join('\n'))
  const run = (...words: readonly string[]) => execFileSync('openssl', words, { stdio: 'pipe', env: ENVIRONMENT })
  run(
    'req',
    '-new',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    keyFile,
    '-out',
    request,
    '-subj',
    `/CN=${about.subject}`,
  )
  const signer = by ? ['-CA', by.certificateFile, '-CAkey', by.keyFile, '-CAcreateserial'] : ['-signkey', keyFile]
  run(
    ...['x509', '-req', '-sha256', '-in', request, '-out', certificateFile, '-extfile', extensions],
    ...['-days', String(about.days ?? 30), ...signer],
  )
  return { certificate: new X509Certificate(readFileSync(certificateFile)), certificateFile, keyFile }
}
