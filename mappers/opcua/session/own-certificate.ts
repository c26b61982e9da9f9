import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { crypto_utils } from 'node-opcua-client'
import type { DeviceConfig } from '../config.ts'

/** Who this application is to servers. */
export interface OwnCertificate {
  readonly certificate: X509Certificate
  /** PEM; of the certificate. */
  readonly key: string
  readonly applicationUri: string
}

const VALID_DAYS = 3650
const KEY_BITS = 2048
/** The clock of a server may be behind ours by so much, ms. */
const BEHIND_MS = 24 * 60 * 60 * 1000

/** The certificate that the device names, or else one that is made on first use and kept in `own/` of the folder. */
export async function ownCertificate(device: DeviceConfig, folder: string, now: number): Promise<OwnCertificate> {
  const { certificateFile, privateKeyFile } = device
  if (certificateFile !== undefined && privateKeyFile !== undefined) {
    const certificate = new X509Certificate(await readFile(certificateFile))
    return checked(certificate, await readFile(privateKeyFile, 'utf8'), certificateFile)
  }
  const applicationUri = device.applicationUri ?? `urn:${hostname()}:skerry`
  const name = `skerry-${createHash('sha256').update(applicationUri).digest('hex').slice(0, 8)}`
  await mkdir(join(folder, 'own'), { recursive: true, mode: 0o700 })
  const both = join(folder, 'own', `${name}-with-key.pem`)
  let text = await readIfThere(both)
  if (text === undefined) {
    await make(both, { applicationUri, name: device.applicationName, now })
    text = await readFile(both, 'utf8')
  }
  const certificate = new X509Certificate(text)
  // For people, who hand it to servers that want to know it beforehand.
  const handout = join(folder, 'own', `${name}.pem`)
  if ((await readIfThere(handout)) !== certificate.toString())
    await writeFile(handout, certificate.toString(), { mode: 0o644 })
  return checked(
    certificate,
    /-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]+-----END [A-Z ]*PRIVATE KEY-----/.exec(text)?.[0] ?? '',
    both,
  )
}

interface Making {
  readonly applicationUri: string
  readonly name: string
  /** Unix ms. */
  readonly now: number
}

/** Key and certificate in one file, so that two that are made at once never mix: the first stays. */
async function make(file: string, { applicationUri, name, now }: Making): Promise<void> {
  const key = await crypto_utils.generatePrivateKey(KEY_BITS)
  const host = hostname()
  const { cert } = await crypto_utils.createSelfSignedCertificate({
    privateKey: key,
    subject: `CN=${name.replace(/[,+="<>#;\\/]/g, ' ')}/O=Skerry/DC=${host}`,
    applicationUri,
    dns: [host],
    ip: [],
    notBefore: new Date(now - BEHIND_MS),
    validity: VALID_DAYS,
    purpose: crypto_utils.CertificatePurpose.ForApplication,
  })
  const { privPem } = await crypto_utils.privateKeyToPEM(key)
  const temporary = `${file}.${process.pid}.${createHash('sha256').update(privPem).digest('hex').slice(0, 8)}`
  await writeFile(temporary, `${cert.trim()}\n${privPem.trim()}\n`, { mode: 0o600 })
  try {
    await link(temporary, file)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    await rm(temporary, { force: true })
  }
}

function checked(certificate: X509Certificate, key: string, file: string): OwnCertificate {
  if (!certificate.checkPrivateKey(createPrivateKey(key))) {
    throw new Error(`the private key does not belong to the certificate in ${file}`)
  }
  const applicationUri = /(?:^|, )URI:([^,]+)/.exec(certificate.subjectAltName ?? '')?.[1]
  if (applicationUri === undefined) {
    throw new Error(`the certificate in ${file} names no application URI in its subject alternative names`)
  }
  return { certificate, key, applicationUri }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
