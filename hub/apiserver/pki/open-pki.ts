import { join } from 'node:path'
import { CertificateError, generateKeyPair, loadKeyPair } from '../../../platform/certificates/index.ts'
import { type Authority, createAuthority, loadAuthority } from '../../../platform/certificates/issuing/index.ts'
import { ensureDirectory, readFileIfPresent, writeFileAtomic } from '../../../platform/files/index.ts'
import { ConfigError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, minutes } from '../../../platform/time/index.ts'
import { KUBELET_CLIENT } from '../../../schemas/access/index.ts'
import { ADMIN_GROUP } from '../../serving/access/authorization.ts'
import { type Identity, openIdentity, type Profile, readPair, writePair } from '../../serving/access/stored-identity.ts'

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
  const open = (name: string, profile: Profile) => {
    const onMade = () => log.info('Made a certificate of the Kubernetes API', { certificate: name })
    return openIdentity(folder, name, { authority, profile, clock, onMade })
  }
  return {
    ca: authority.certificatePem,
    authority: { certificate: authority.certificatePem, privateKey: authority.privateKeyPem },
    serving: await open('server', { subject: { commonName: 'kube-apiserver' }, usages: ['serverAuth'], names: all }),
    admin: await open('admin', ADMIN),
    kubeletClient: await open('kubelet-client', AT_KUBELETS),
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

const ADMIN: Profile = {
  subject: { commonName: 'kubernetes-admin', organizations: [ADMIN_GROUP] },
  usages: ['clientAuth'],
  names: [],
}

const AT_KUBELETS: Profile = {
  subject: { commonName: KUBELET_CLIENT, organizations: [] },
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
