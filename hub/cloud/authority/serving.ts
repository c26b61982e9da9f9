import { createPrivateKey, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { loadKeyPair, parseCertificate } from '../../../platform/certificates/index.ts'
import type { Authority } from '../../../platform/certificates/issuing/index.ts'
import type { Clock } from '../../../platform/time/index.ts'
import type { Kubernetes } from '../kubernetes/index.ts'
import type { KeyedCertificate, ServingCertificate } from './cloud-authority.ts'
import { ensureSecret, type SecretBytes } from './secrets.ts'
import { issueServing } from './x509.ts'

/** KubeEdge's own. */
const SERVING_SECRET = 'cloudcoresecret'
/** It is renewed within its last month. */
const SERVING_RESERVE_MS = 30 * 24 * 3600 * 1000
const MOST_NAMES = 200

/** The certificate that the listeners of the cloud half show, shared by all replicas and renewed before its end. */
export class ServingCertificates {
  readonly #ca: Authority
  readonly #names: readonly string[]
  readonly #ports: { readonly kubernetes: Kubernetes; readonly clock: Clock }
  readonly #followers = new Set<(serving: ServingCertificate) => void>()
  #current: ServingCertificate = { certificatePem: '', keyPem: '' }

  constructor(ca: Authority, names: readonly string[], ports: { kubernetes: Kubernetes; clock: Clock }) {
    this.#ca = ca
    this.#names = names
    this.#ports = ports
  }

  get current(): ServingCertificate {
    return this.#current
  }

  /** Told of each later one. */
  onChange(handler: (serving: ServingCertificate) => void): Disposable {
    this.#followers.add(handler)
    return { [Symbol.dispose]: () => void this.#followers.delete(handler) }
  }

  /** Takes what the Secret holds; makes it anew where it ends soon, is not of this CA or lacks a name. True when it changed. */
  async refresh(signal?: AbortSignal): Promise<boolean> {
    const { kubernetes, clock } = this.#ports
    let known: readonly string[] = []
    const isGood = (stored: SecretBytes) => {
      known = namesOf(stored, this.#ca)
      return isServing(stored, this.#ca, this.#names, clock.now())
    }
    const make = async () => {
      // What another replica is dialled by stays, or the two would replace each other's certificate for ever.
      const names = [...new Set([...this.#names, ...known])].slice(0, MOST_NAMES)
      return servingBytes(await issueServing(this.#ca, names, clock))
    }
    const bytes = await ensureSecret(kubernetes, SERVING_SECRET, isGood, make, signal)
    const found = pemOf(bytes)
    if (found.certificatePem === this.#current.certificatePem) return false
    this.#current = found
    for (const handler of this.#followers) handler(found)
    return true
  }
}

function isServing(bytes: SecretBytes, ca: Authority, names: readonly string[], now: number): boolean {
  const { cloudcoredata, cloudcorekeydata } = bytes
  if (!cloudcoredata || !cloudcorekeydata) return false
  try {
    const certificate = new X509Certificate(cloudcoredata)
    const covers = (name: string) => (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name))
    return (
      isSignedBy(ca, cloudcoredata) &&
      certificate.checkPrivateKey(createPrivateKey(loadKeyPair(cloudcorekeydata).privateKeyPem)) &&
      certificate.validToDate.getTime() - now > SERVING_RESERVE_MS &&
      names.every((name) => covers(name) !== undefined)
    )
  } catch {
    return false
  }
}

function namesOf({ cloudcoredata }: SecretBytes, ca: Authority): readonly string[] {
  try {
    if (!cloudcoredata || !isSignedBy(ca, cloudcoredata)) return []
    const { dnsNames, ipAddresses } = parseCertificate(cloudcoredata)
    return [...ipAddresses, ...dnsNames]
  } catch {
    // Damaged: it is replaced, and names nobody.
    return []
  }
}

function isSignedBy(ca: Authority, certificate: Uint8Array): boolean {
  return new X509Certificate(certificate).verify(new X509Certificate(ca.certificateDer).publicKey)
}

function servingBytes({ certificate, key }: KeyedCertificate): SecretBytes {
  return { cloudcoredata: certificate, cloudcorekeydata: key }
}

function pemOf(bytes: SecretBytes): ServingCertificate {
  const { cloudcoredata = new Uint8Array(), cloudcorekeydata = new Uint8Array() } = bytes
  return servingPem({ certificate: cloudcoredata, key: cloudcorekeydata })
}

export function servingPem({ certificate, key }: KeyedCertificate): ServingCertificate {
  const certificatePem = new X509Certificate(certificate).toString()
  return { certificatePem, keyPem: loadKeyPair(key).privateKeyPem }
}
