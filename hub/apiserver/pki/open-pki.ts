import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { join } from 'node:path'
import {
  CertificateError,
  generateKeyPair,
  loadKeyPair,
  parseCertificate,
  pemOf,
  type Subject,
  type Usage,
} from '../../../platform/certificates/index.ts'
import { type Authority, createAuthority, loadAuthority } from '../../../platform/certificates/issuing/index.ts'
import { ensureDirectory, readFileIfPresent, writeFileAtomic } from '../../../platform/files/index.ts'
import { ConfigError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, minutes } from '../../../platform/time/index.ts'
import { ADMIN_GROUP } from '../../serving/access/authorization.ts'

/** A certificate with its key, both PEM. */
export interface Identity {
  readonly certificate: string
  readonly privateKey: string
}

/** Everything that the embedded API and its clients need to trust each other. */
export interface ApiPki {
  /** PEM of the authority. */
  readonly ca: string
  readonly authority: Identity
  readonly serving: Identity
  /** An administrator (`O=system:masters`), for the kubeconfig of people. */
  readonly admin: Identity
  /** What kubelets are shown (`O=system:masters`, as kubeadm makes it). */
  readonly kubeletClient: Identity
  /** PEM of the key that signs tokens of service accounts. */
  readonly accountKey: string
}

export interface PkiOptions {
  /** Host names and IP addresses of the server besides 127.0.0.1, ::1 and localhost. */
  readonly names: readonly string[]
  readonly clock: Clock
  readonly log: Logger
}

/** In minutes. */
const DAY = 24 * 60
const AUTHORITY_LIFE = minutes(10 * 365 * DAY)
const LEAF_LIFE = minutes(365 * DAY)
/** A certificate that ends sooner is made anew at the next start. */
const RENEW_BEFORE = minutes(60 * DAY)
const LOCAL_NAMES = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', '127.0.0.1', '::1']

/**
 * The certificates under `DIR/pki/kubernetes`, made at the first start, renewed when they end soon or no longer fit. The
 * authority stays as long as its file does.
 */
export async function openApiPki(directory: string, { names, clock, log }: PkiOptions): Promise<ApiPki> {
  const folder = join(directory, 'pki', 'kubernetes')
  await ensureDirectory(folder, 0o700)
  const authority = await openAuthority(folder, clock, log)
  // An IPv6 address may come as it stands in a URL.
  const all = [...new Set([...LOCAL_NAMES, ...names.map((name) => name.replaceAll(/[[\]]/g, ''))])]
  const open = (name: string, profile: Profile) => openIdentity(folder, name, authority, profile, clock, log)
  return {
    ca: authority.certificatePem,
    authority: { certificate: authority.certificatePem, privateKey: authority.privateKeyPem },
    serving: await open('server', { subject: { commonName: 'kube-apiserver' }, usages: ['serverAuth'], names: all }),
    admin: await open('admin', ADMIN),
    kubeletClient: await open('kubelet-client', KUBELET_CLIENT),
    accountKey: await openKey(folder, log),
  }
}

/** Without it tokens that are about would end before their time. */
async function openKey(folder: string, log: Logger): Promise<string> {
  const file = join(folder, 'service-accounts.key')
  const stored = await readFileIfPresent(file)
  try {
    if (stored !== undefined) return loadKeyPair(stored).privateKeyPem
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error
  }
  const { privateKeyPem } = await generateKeyPair()
  await writeFileAtomic(file, privateKeyPem, 0o600)
  log.info('Made the key for tokens of service accounts', { folder })
  return privateKeyPem
}

interface Profile {
  readonly subject: Subject
  readonly usages: readonly Usage[]
  readonly names: readonly string[]
}

const ADMIN: Profile = {
  subject: { commonName: 'kubernetes-admin', organizations: [ADMIN_GROUP] },
  usages: ['clientAuth'],
  names: [],
}

const KUBELET_CLIENT: Profile = {
  subject: { commonName: 'kube-apiserver-kubelet-client', organizations: [ADMIN_GROUP] },
  usages: ['clientAuth'],
  names: [],
}

async function openAuthority(folder: string, clock: Clock, log: Logger): Promise<Authority> {
  const stored = await readPair(folder, 'ca')
  if (stored) return loadStoredAuthority(stored, folder)
  const authority = await createAuthority({ commonName: 'skerry-kubernetes-ca', validity: AUTHORITY_LIFE, clock })
  await writePair(folder, 'ca', { certificate: authority.certificatePem, privateKey: authority.privateKeyPem })
  log.info('Made the certificate authority of the Kubernetes API', { folder })
  return authority
}

/** It is never replaced while it is there, because kubeconfigs elsewhere trust it. */
function loadStoredAuthority(stored: Identity, folder: string): Authority {
  try {
    return loadAuthority(stored)
  } catch (cause) {
    throw new ConfigError(
      `the certificate authority of the Kubernetes API is damaged: put ca.crt and ca.key of a backup into ${folder}, or remove both to have new ones`,
      { code: 'HUB_API_CA_DAMAGED', cause },
    )
  }
}

async function openIdentity(
  folder: string,
  name: string,
  authority: Authority,
  profile: Profile,
  clock: Clock,
  log: Logger,
): Promise<Identity> {
  const stored = await readPair(folder, name)
  if (stored && isFit(stored, authority, profile, clock)) return stored
  const keyPair = await generateKeyPair()
  const notBefore = new Date(clock.now())
  const certificate = await authority.issue({
    publicKey: keyPair.publicKeyDer,
    subject: profile.subject,
    usages: profile.usages,
    dnsNames: profile.names.filter((each) => isIP(each) === 0),
    ipAddresses: profile.names.filter((each) => isIP(each) !== 0),
    notBefore,
    notAfter: new Date(notBefore.getTime() + LEAF_LIFE.milliseconds),
  })
  const identity = { certificate: pemOf(certificate, 'CERTIFICATE'), privateKey: keyPair.privateKeyPem }
  await writePair(folder, name, identity)
  log.info('Made a certificate of the Kubernetes API', { certificate: name })
  return identity
}

function isFit(stored: Identity, authority: Authority, { subject, names }: Profile, clock: Clock): boolean {
  try {
    const found = parseCertificate(stored.certificate)
    const known = [...found.dnsNames, ...found.ipAddresses]
    return (
      isIssuedBy(stored.certificate, authority) &&
      found.subject.commonName === subject.commonName &&
      Buffer.from(loadKeyPair(stored.privateKey).publicKeyDer).equals(found.publicKeyDer) &&
      found.notAfter.getTime() > clock.now() + RENEW_BEFORE.milliseconds &&
      names.every((name) => known.includes(name))
    )
  } catch (error) {
    if (error instanceof CertificateError) return false
    throw error
  }
}

/** By signature: an authority that was made anew bears the same name. */
function isIssuedBy(certificate: string, authority: Authority): boolean {
  return new X509Certificate(certificate).verify(new X509Certificate(authority.certificatePem).publicKey)
}

/** Undefined when one of the two is missing: a start that was cut off makes both again. */
async function readPair(folder: string, name: string): Promise<Identity | undefined> {
  const certificate = await readFileIfPresent(join(folder, `${name}.crt`))
  const privateKey = await readFileIfPresent(join(folder, `${name}.key`))
  return certificate === undefined || privateKey === undefined ? undefined : { certificate, privateKey }
}

async function writePair(folder: string, name: string, { certificate, privateKey }: Identity): Promise<void> {
  // The key first: a certificate without its key is what readPair takes for nothing.
  await writeFileAtomic(join(folder, `${name}.key`), privateKey, 0o600)
  await writeFileAtomic(join(folder, `${name}.crt`), certificate, 0o600)
}
