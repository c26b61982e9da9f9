import { dirname, join } from 'node:path'
import { parseCertificate } from '../../../platform/certificates/index.ts'
import { ensureDirectory, readFileIfPresent, writeFileAtomic } from '../../../platform/files/index.ts'
import { ConfigError } from '../../../platform/lifecycle/index.ts'
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
  return { commonName: `system:node:${nodeName}`, organizations: ['system:nodes'] }
}

/** Reads the identity and proves that it is that of this node. Throws ConfigError. */
export async function readIdentity(files: IdentityFiles, nodeName: string): Promise<LinkIdentity> {
  const [ca, certificate, key] = await Promise.all([
    readFileIfPresent(files.ca),
    readFileIfPresent(files.certificate),
    readFileIfPresent(files.key),
  ])
  if (ca === undefined || certificate === undefined || key === undefined) {
    throw new ConfigError('This node has no certificate yet: run skerry join', {
      code: 'HUB_NOT_JOINED',
      fields: { certificate: files.certificate },
    })
  }
  const { commonName } = parseCertificate(certificate).subject
  if (commonName !== nodeSubject(nodeName).commonName) {
    throw new ConfigError('The certificate is that of another node: run skerry join again, or correct node.name', {
      code: 'HUB_CERTIFICATE_OF_ANOTHER_NODE',
      fields: { certificate: files.certificate, commonName, node: nodeName },
    })
  }
  return { ca, certificate, key }
}

/** The key first: a certificate without its key would be worse than none. */
export async function writeIdentity(files: IdentityFiles, identity: LinkIdentity): Promise<void> {
  for (const file of Object.values(files)) await ensureDirectory(dirname(file), 0o700)
  await writeFileAtomic(files.ca, identity.ca, 0o600)
  await writeFileAtomic(files.key, identity.key, 0o600)
  await writeFileAtomic(files.certificate, identity.certificate, 0o600)
}
