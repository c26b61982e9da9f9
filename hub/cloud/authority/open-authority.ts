import { X509Certificate } from 'node:crypto'
import { fingerprint } from '../../../platform/certificates/index.ts'
import { type Authority, loadAuthority } from '../../../platform/certificates/issuing/index.ts'
import { ConfigError } from '../../../platform/lifecycle/index.ts'
import { type Clock, minutes, type Random } from '../../../platform/time/index.ts'
import type { Kubernetes } from '../kubernetes/index.ts'
import type { CloudAuthority, KeyedCertificate } from './cloud-authority.ts'
import { JoinTokens, type TokenHints } from './join-tokens.ts'
import { readNodeCertificate } from './node-certificate.ts'
import { isReplicaCertificate, issueReplica } from './replica-certificate.ts'
import { ensureSecret, type SecretBytes } from './secrets.ts'
import { ServingCertificates, servingPem } from './serving.ts'
import { createCa, inspectNodeRequest, issueServing, signNodeRequest } from './x509.ts'

export interface AuthorityOptions {
  /** Host names and IP addresses that gateways dial; they stand in the serving certificate. */
  readonly names: readonly string[]
  /** Lifetime of node certificates. */
  readonly certificateDays: number
  /** Addresses for tokens; asked when a token is made, because the ports may be free ones. */
  hints?(): TokenHints
}

export interface AuthorityPortsOfOpen {
  readonly kubernetes: Kubernetes
  readonly clock: Clock
  readonly random: Random
}

/** KubeEdge's name, so that an installation is taken over with its CA. */
const CA_SECRET = 'casecret'

/** Reads the authority from its Secrets, making what is missing. An existing CA is never replaced. */
export async function openAuthority(
  options: AuthorityOptions,
  ports: AuthorityPortsOfOpen,
  signal: AbortSignal,
): Promise<CloudAuthority> {
  const { kubernetes, clock, random } = ports
  const makeCa = async () => caBytes(await createCa(clock))
  const ca = loadCa(await ensureSecret(kubernetes, CA_SECRET, (bytes) => loadCa(bytes) !== undefined, makeCa, signal))
  const serving = new ServingCertificates(ca, options.names, ports)
  const caHash = fingerprint(ca.certificateDer)
  const tokens = new JoinTokens(ports, caHash, () => options.hints?.() ?? {})
  await serving.refresh(signal)
  await tokens.open(signal)
  const caCertificate = new X509Certificate(ca.certificateDer)
  const lifetime = minutes(options.certificateDays * 24 * 60)
  return {
    caCertificate: ca.certificateDer,
    caPem: ca.certificatePem,
    caHash,
    tokens,
    get serving() {
      return serving.current
    },
    serveAs: async (names) => servingPem(await issueServing(ca, names, clock)),
    issueReplica: async () => servingPem(await issueReplica(ca, ports)),
    isReplica: (certificate) => isReplicaCertificate(certificate, caCertificate),
    onServing: (handler) => serving.onChange(handler),
    refreshServing: (within) => serving.refresh(within),
    createToken: (request) => tokens.create(request),
    validity: () => ({ issued: clock.now(), expires: clock.now() + lifetime.milliseconds }),
    nodeCertificate: (certificate) => readNodeCertificate(certificate, caCertificate),
    inspectRequest: inspectNodeRequest,
    signNode: (csr, profile) => signNodeRequest(ca, csr, profile, random),
  }
}

/** Throws ConfigError for a CA that cannot be used: it is never replaced, because every gateway trusts it. */
function loadCa({ cadata, cakeydata }: SecretBytes): Authority {
  try {
    if (!cadata || !cakeydata) throw new Error('cadata or cakeydata is missing')
    return loadAuthority({ certificate: cadata, privateKey: cakeydata })
  } catch (cause) {
    throw new ConfigError('the CA in Secret kubeedge/casecret cannot be used: restore it, or delete it to begin anew', {
      code: 'HUB_CA_UNUSABLE',
      fields: { pointer: '/data' },
      cause,
    })
  }
}

function caBytes({ certificate, key }: KeyedCertificate): SecretBytes {
  return { cadata: certificate, cakeydata: key }
}
