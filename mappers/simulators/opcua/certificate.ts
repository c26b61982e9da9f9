import { X509Certificate } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { crypto_utils } from 'node-opcua-client'

/** PEM files, where a server finds them. */
export interface CertificateFiles {
  readonly certificate: X509Certificate
  readonly certificateFile: string
  readonly keyFile: string
}

export interface CertificateRequest {
  readonly applicationUri: string
  readonly name: string
  /** Addresses that it is reached at, beside the name of this machine. */
  readonly addresses: readonly string[]
  readonly validDays?: number
  readonly notBefore: Date
}

/** What is in the folder; else makes a key and a certificate that it signs itself, so that a restart changes nothing. */
export async function certificateIn(folder: string, request: CertificateRequest): Promise<CertificateFiles> {
  const certificateFile = join(folder, 'certificate.pem')
  const keyFile = join(folder, 'key.pem')
  try {
    return { certificate: new X509Certificate(await readFile(certificateFile)), certificateFile, keyFile }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
  const privateKey = await crypto_utils.generatePrivateKey(2048)
  const { cert } = await crypto_utils.createSelfSignedCertificate({
    privateKey,
    subject: `CN=${request.name}`,
    applicationUri: request.applicationUri,
    dns: [hostname(), 'localhost'],
    ip: [...request.addresses],
    notBefore: request.notBefore,
    validity: request.validDays ?? 3650,
    purpose: crypto_utils.CertificatePurpose.ForApplication,
  })
  const { privPem } = await crypto_utils.privateKeyToPEM(privateKey)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await writeFile(keyFile, privPem, { mode: 0o600 })
  // Last: a folder with a certificate is complete.
  await writeFile(certificateFile, cert)
  return { certificate: new X509Certificate(cert), certificateFile, keyFile }
}
