import { X509Certificate } from 'node:crypto'
import { fingerprint, type KeyPair, parseCertificate, pemOf } from '../../../platform/certificates/index.ts'
import { createCsr } from '../../../platform/certificates/issuing/index.ts'
import { ConfigError, RefusedError } from '../../../platform/lifecycle/index.ts'
import type { Clock } from '../../../platform/time/index.ts'
import type { LinkIdentity } from '../../link/index.ts'
import { callCertificateEndpoint } from './certificate-client.ts'
import {
  type IdentityFiles,
  lockIdentity,
  nodeSubject,
  openNextKey,
  readIdentity,
  writeIdentity,
} from './identity-files.ts'
import type { JoinToken } from './token.ts'

export interface JoinOptions {
  /** HOST:PORT of the certificate endpoint. */
  readonly address: string
  readonly token: JoinToken
  readonly nodeName: string
  readonly files: IdentityFiles
  readonly clock: Clock
  readonly signal?: AbortSignal
}

/**
 * Gets this node its certificate: the CA first, which must be the one whose hash the token carries, and only then, over a
 * connection verified with it, the token and the certificate request.
 */
export async function joinNode(options: JoinOptions): Promise<LinkIdentity> {
  const { address, token, nodeName, files, clock, signal } = options
  if (token.node !== undefined && token.node !== nodeName) {
    throw new ConfigError('The token is for another node: use that name, or create a token for this one', {
      code: 'HUB_TOKEN_OF_ANOTHER_NODE',
      fields: { node: nodeName, tokenNode: token.node },
    })
  }
  await using _lock = await lockIdentity(files)
  const caDer = await callCertificateEndpoint({ address, path: '/ca.crt' }, clock, signal)
  if (fingerprint(caDer) !== token.caHash) {
    throw new RefusedError(
      'The CA of this cloud is not the one of the token: somebody else answers at this address, or the token is of another cloud',
      {
        code: 'HUB_CA_NOT_TRUSTED',
        fields: { address },
      },
    )
  }
  const ca = pemOf(caDer, 'CERTIFICATE')
  const keyPair = await openNextKey(files)
  const authorization = `Bearer ${token.bearer}`
  const certificate = await requestCertificate(
    { address, nodeName, keyPair, ca, headers: { authorization } },
    clock,
    signal,
  )
  const identity = { ca, certificate, key: keyPair.privateKeyPem }
  await writeIdentity(files, identity)
  return identity
}

/**
 * A new key and certificate for the same node, on the strength of the present certificate; no token is sent. Where somebody else
 * has replaced that meanwhile, theirs is taken.
 */
export async function renewIdentity(
  options: Omit<JoinOptions, 'token'> & { readonly present: LinkIdentity },
): Promise<LinkIdentity> {
  const { address, nodeName, files, clock, signal, present } = options
  await using _lock = await lockIdentity(files)
  const stored = await readIdentity(files, nodeName)
  if (stored.certificate !== present.certificate) return stored
  const keyPair = await openNextKey(files)
  const client = { certificate: present.certificate, key: present.key }
  const certificate = await requestCertificate({ address, nodeName, keyPair, ca: present.ca, client }, clock, signal)
  const identity = { ca: present.ca, certificate, key: keyPair.privateKeyPem }
  await writeIdentity(files, identity)
  return identity
}

interface CertificateRequest {
  readonly address: string
  readonly nodeName: string
  readonly keyPair: KeyPair
  readonly ca: string
  readonly headers?: Readonly<Record<string, string>>
  readonly client?: { readonly certificate: string; readonly key: string }
}

async function requestCertificate(request: CertificateRequest, clock: Clock, signal?: AbortSignal): Promise<string> {
  const { address, nodeName, keyPair, ca, headers, client } = request
  const der = await callCertificateEndpoint(
    {
      address,
      path: '/edge.crt',
      ca,
      headers: { ...headers, NodeName: nodeName },
      body: await createCsr({ keyPair, subject: nodeSubject(nodeName) }),
      ...(client === undefined ? {} : { client }),
    },
    clock,
    signal,
  )
  const { subject, publicKeyDer } = parseCertificate(der)
  const isOurs = Buffer.compare(publicKeyDer, keyPair.publicKeyDer) === 0
  const isSigned = new X509Certificate(der).verify(new X509Certificate(ca).publicKey)
  if (!isOurs || !isSigned || subject.commonName !== nodeSubject(nodeName).commonName) {
    throw new RefusedError('The cloud answered with a certificate that is not the one asked for', {
      code: 'HUB_CERTIFICATE_UNEXPECTED',
      fields: { address, commonName: subject.commonName },
    })
  }
  return pemOf(der, 'CERTIFICATE')
}
