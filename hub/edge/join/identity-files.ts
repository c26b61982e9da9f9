import { createPrivateKey, X509Certificate } from 'node:crypto'
import { rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  CertificateError,
  generateKeyPair,
  type KeyPair,
  loadKeyPair,
  type ParsedCertificate,
  parseCertificate,
} from '../../../platform/certificates/index.ts'
import { ensureDirectory, readFileIfPresent, writeFileAtomic } from '../../../platform/files/index.ts'
import { ConfigError } from '../../../platform/lifecycle/index.ts'
import { NODE_ORGANIZATION, nodeCommonName } from '../../../schemas/index.ts'
import type { LinkIdentity } from '../../link/index.ts'

/** Where the identity of a node is: PEM files, under KubeEdge's own names by default. */
export interface IdentityFiles {
  readonly ca: string
  readonly certificate: string
  readonly key: string
}

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
  const [ca, certificate] = await Promise.all([readFileIfPresent(files.ca), readFileIfPresent(files.certificate)])
  if (ca === undefined || certificate === undefined) throw notJoined(files)
  readable(ca, files.ca)
  const { commonName } = readable(certificate, files.certificate).subject
  if (commonName !== nodeSubject(nodeName).commonName) {
    throw new ConfigError('The certificate is that of another node: run skerry join again, or correct node.name', {
      code: 'HUB_CERTIFICATE_OF_ANOTHER_NODE',
      fields: { certificate: files.certificate, commonName, node: nodeName },
    })
  }
  return { ca, certificate, key: await keyOf(files, certificate) }
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

/**
 * Stores the certificate of the key that `openNextKey` gave. At any moment one of the two keys on disk belongs to the
 * certificate there, so that a power cut leaves the old identity or the new one.
 */
export async function writeIdentity(files: IdentityFiles, { ca, certificate }: Omit<LinkIdentity, 'key'>) {
  for (const file of Object.values(files)) await ensureDirectory(dirname(file), 0o700)
  await writeFileAtomic(files.ca, ca, 0o600)
  await writeFileAtomic(files.certificate, certificate, 0o600)
  await rename(nextKey(files), files.key)
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

async function keyOf(files: IdentityFiles, certificate: string): Promise<string> {
  const key = await readFileIfPresent(files.key)
  if (key !== undefined && belongs(key, certificate)) return key
  const next = await readFileIfPresent(nextKey(files))
  if (next !== undefined && belongs(next, certificate)) {
    await rename(nextKey(files), files.key)
    return next
  }
  if (key === undefined) throw notJoined(files)
  throw new ConfigError('The key of this node is not that of its certificate: run skerry join again', {
    code: 'HUB_KEY_OF_ANOTHER_CERTIFICATE',
    fields: { certificate: files.certificate, key: files.key },
  })
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

function notJoined(files: IdentityFiles): ConfigError {
  return new ConfigError('This node has no certificate yet: run skerry join', {
    code: 'HUB_NOT_JOINED',
    fields: { certificate: files.certificate },
  })
}
