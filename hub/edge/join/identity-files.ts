import { createPrivateKey, X509Certificate } from 'node:crypto'
import { dirname, join } from 'node:path'
import {
  CertificateError,
  generateKeyPair,
  type KeyPair,
  loadKeyPair,
  type ParsedCertificate,
  parseCertificate,
} from '../../../platform/certificates/index.ts'
import {
  ensureDirectory,
  lockDirectory,
  readFileIfPresent,
  removeFile,
  writeFileAtomic,
} from '../../../platform/files/index.ts'
import { ConfigError, RefusedError } from '../../../platform/lifecycle/index.ts'
import { NODE_ORGANIZATION, nodeCommonName } from '../../../schemas/index.ts'
import type { LinkIdentity } from '../../link/index.ts'
import { commitIdentity, type IdentityFiles, readJournal } from './identity-journal.ts'

export type { IdentityFiles } from './identity-journal.ts'

export function identityFiles(directory: string, given: Partial<IdentityFiles> = {}): IdentityFiles {
  return {
    ca: given.ca ?? join(directory, 'pki', 'rootCA.crt'),
    certificate: given.certificate ?? join(directory, 'pki', 'server.crt'),
    key: given.key ?? join(directory, 'pki', 'server.key'),
  }
}

/** Subject of a node's certificate, the same as a kubelet's. */
export function nodeSubject(nodeName: string) {
  return { commonName: nodeCommonName(nodeName), organizations: [NODE_ORGANIZATION] }
}

/** Reads the identity and proves that it is that of this node. Throws ConfigError. */
export async function readIdentity(files: IdentityFiles, nodeName: string): Promise<LinkIdentity> {
  const identity = await storedIdentity(files)
  readable(identity.ca, files.ca)
  const { commonName } = readable(identity.certificate, files.certificate).subject
  if (commonName !== nodeSubject(nodeName).commonName) {
    throw new ConfigError('The certificate is that of another node: run skerry join again, or correct node.name', {
      code: 'HUB_CERTIFICATE_OF_ANOTHER_NODE',
      fields: { certificate: files.certificate, commonName, node: nodeName },
    })
  }
  if (belongs(identity.key, identity.certificate)) return identity
  // Somebody may have begun to replace the files while they were read here.
  const newer = await readJournal(files)
  if (newer && belongs(newer.key, newer.certificate)) return newer
  throw new ConfigError('The key of this node is not that of its certificate: run skerry join again', {
    code: 'HUB_KEY_OF_ANOTHER_CERTIFICATE',
    fields: { certificate: files.certificate, key: files.key },
  })
}

/** Whose identity is there, if any; a damaged one is none. */
export async function existingIdentity(files: IdentityFiles): Promise<ExistingIdentity | undefined> {
  try {
    const { ca, certificate, key } = await storedIdentity(files)
    const { subject, notAfter } = parseCertificate(certificate)
    if (!belongs(key, certificate)) return undefined
    const prefix = nodeCommonName('')
    if (!subject.commonName.startsWith(prefix)) return undefined
    const node = subject.commonName.slice(prefix.length)
    return { node, expires: notAfter.getTime(), caHash: parseCertificate(ca).fingerprint }
  } catch (error) {
    if (error instanceof ConfigError || error instanceof CertificateError) return undefined
    throw error
  }
}

export interface ExistingIdentity {
  readonly node: string
  /** Unix ms. */
  readonly expires: number
  /** Hex SHA-256 of the CA. */
  readonly caHash: string
}

async function storedIdentity(files: IdentityFiles): Promise<LinkIdentity> {
  const committed = await readJournal(files)
  if (committed) return committed
  const paths = [files.ca, files.certificate, files.key]
  const [ca, certificate, key] = await Promise.all(paths.map(readFileIfPresent))
  if (ca !== undefined && certificate !== undefined && key !== undefined) return { ca, certificate, key }
  throw new ConfigError('This node has no certificate yet: run skerry join', {
    code: 'HUB_NOT_JOINED',
    fields: { certificate: files.certificate },
  })
}

/**
 * The key to ask a certificate for. It is on disk before anybody hears of it: the cloud gives a bound token's certificate to
 * one key only, so a join that was cut short goes on with the same.
 */
export async function openNextKey(files: IdentityFiles): Promise<KeyPair> {
  const path = nextKey(files)
  const present = await readFileIfPresent(path)
  if (present !== undefined && isKey(present)) return loadKeyPair(present)
  const made = await generateKeyPair()
  await ensureDirectory(dirname(path), 0o700)
  await writeFileAtomic(path, made.privateKeyPem, 0o600)
  return made
}

/** Stores the identity with the key that `openNextKey` gave, which is no longer the next one then. */
export async function writeIdentity(files: IdentityFiles, identity: LinkIdentity): Promise<void> {
  await commitIdentity(files, identity)
  await removeFile(nextKey(files))
}

/**
 * Keeps others of this machine from changing the identity meanwhile: two commands, or a command and a running edge. Rejects with
 * RefusedError HUB_IDENTITY_BUSY.
 */
export async function lockIdentity(files: IdentityFiles): Promise<AsyncDisposable> {
  const folder = dirname(files.key)
  await ensureDirectory(folder, 0o700)
  try {
    return await lockDirectory(folder, 'identity.lock')
  } catch (cause) {
    if (!(cause instanceof RefusedError)) throw cause
    throw new RefusedError('another join or renewal of this node is under way: wait until it has ended', {
      code: 'HUB_IDENTITY_BUSY',
      fields: { folder },
      cause,
    })
  }
}

function readable(pem: string, path: string): ParsedCertificate {
  try {
    return parseCertificate(pem)
  } catch (cause) {
    if (!(cause instanceof CertificateError)) throw cause
    throw new ConfigError('A certificate of this node is damaged: run skerry join again', {
      code: 'HUB_CERTIFICATE_DAMAGED',
      fields: { path },
      cause,
    })
  }
}

function belongs(key: string, certificate: string): boolean {
  return isKey(key) && new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))
}

function isKey(pem: string): boolean {
  try {
    createPrivateKey(pem)
    return true
  } catch {
    // A damaged file is as good as none: the caller makes another key, or says that there is none.
    return false
  }
}

function nextKey(files: IdentityFiles): string {
  return `${files.key}.next`
}
