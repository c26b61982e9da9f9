import { createPrivateKey, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { fingerprint, loadKeyPair } from '../../../platform/certificates/index.ts'
import { type Authority, loadAuthority } from '../../../platform/certificates/issuing/index.ts'
import { ConfigError } from '../../../platform/lifecycle/index.ts'
import { type Clock, minutes, type Random } from '../../../platform/time/index.ts'
import type { Kubernetes } from '../kubernetes/index.ts'
import type { CloudAuthority, KeyedCertificate, ServingCertificate } from './cloud-authority.ts'
import { ensureSecret, type SecretBytes } from './secrets.ts'
import { mintToken, verifyToken } from './tokens.ts'
import { redeemOnce } from './used-tokens.ts'
import { createCa, inspectNodeRequest, issueServing, signNodeRequest } from './x509.ts'

export interface AuthorityOptions {
  /** Host names and IP addresses that gateways dial; they stand in the serving certificate. */
  readonly names: readonly string[]
  /** Lifetime of node certificates. */
  readonly certificateDays: number
  /** HOST:PORT of the certificate endpoint for tokens; asked when a token is made, because the port may be a free one. */
  address?(): string | undefined
}

export interface AuthorityPortsOfOpen {
  readonly kubernetes: Kubernetes
  readonly clock: Clock
  readonly random: Random
}

/** KubeEdge's names of Secrets and keys; the token key is our own. */
const CA_SECRET = 'casecret'
const SERVING_SECRET = 'cloudcoresecret'
const TOKEN_SECRET = 'skerry-token-key'
const TOKEN_KEY_BYTES = 64
const DEFAULT_TTL = minutes(24 * 60)
/** A serving certificate is renewed at a start within its last month. */
const SERVING_RESERVE_MS = 30 * 24 * 3600 * 1000

/** Reads the authority from its Secrets, making what is missing. An existing CA is never replaced. */
export async function openAuthority(
  options: AuthorityOptions,
  ports: AuthorityPortsOfOpen,
  signal: AbortSignal,
): Promise<CloudAuthority> {
  const { kubernetes, clock, random } = ports
  const makeCa = async () => caBytes(await createCa(clock))
  const ca = loadCa(await ensureSecret(kubernetes, CA_SECRET, (bytes) => loadCa(bytes) !== undefined, makeCa, signal))
  const serving = await ensureSecret(
    kubernetes,
    SERVING_SECRET,
    (bytes) => isServing(bytes, ca, options.names, clock.now()),
    async () => servingBytes(await issueServing(ca, options.names, clock)),
    signal,
  )
  const token = await ensureSecret(
    kubernetes,
    TOKEN_SECRET,
    ({ key }) => (key?.length ?? 0) >= 32,
    async () => ({ key: random.bytes(TOKEN_KEY_BYTES) }),
    signal,
  )
  const tokenKey = token['key'] ?? new Uint8Array()
  const caHash = fingerprint(ca.certificateDer)
  return {
    caCertificate: ca.certificateDer,
    caPem: ca.certificatePem,
    caHash,
    serving: pemOf(serving),
    createToken: ({ node, ttl = DEFAULT_TTL }) => {
      const address = options.address?.()
      const request = { ttl, ...(node === undefined ? {} : { node }), ...(address === undefined ? {} : { address }) }
      return mintToken(tokenKey, caHash, request, { clock, random })
    },
    verifyToken: (bearer) => verifyToken(tokenKey, bearer, clock),
    redeem: (claims, keyFingerprint, within) => redeemOnce(kubernetes, clock, claims, keyFingerprint, within),
    inspectRequest: inspectNodeRequest,
    signNode: (csr, node, usages) => signNodeRequest(ca, csr, { node, usages, days: options.certificateDays }, clock),
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

function isServing(bytes: SecretBytes, ca: Authority, names: readonly string[], now: number): boolean {
  const { cloudcoredata, cloudcorekeydata } = bytes
  if (!cloudcoredata || !cloudcorekeydata) return false
  try {
    const certificate = new X509Certificate(cloudcoredata)
    const covers = (name: string) => (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name))
    return (
      certificate.verify(new X509Certificate(ca.certificateDer).publicKey) &&
      certificate.checkPrivateKey(createPrivateKey(loadKeyPair(cloudcorekeydata).privateKeyPem)) &&
      certificate.validToDate.getTime() - now > SERVING_RESERVE_MS &&
      names.every((name) => covers(name) !== undefined)
    )
  } catch {
    return false
  }
}

function caBytes({ certificate, key }: KeyedCertificate): SecretBytes {
  return { cadata: certificate, cakeydata: key }
}

function servingBytes({ certificate, key }: KeyedCertificate): SecretBytes {
  return { cloudcoredata: certificate, cloudcorekeydata: key }
}

function pemOf(bytes: SecretBytes): ServingCertificate {
  const { cloudcoredata = new Uint8Array(), cloudcorekeydata = new Uint8Array() } = bytes
  const certificatePem = new X509Certificate(cloudcoredata).toString()
  return { certificatePem, keyPem: loadKeyPair(cloudcorekeydata).privateKeyPem }
}
