import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { MqttTlsConfig } from '../../../../schemas/config/index.ts'
import { checkServing, loadKeyPair, parseCertificate } from '../../../certificates/index.ts'
import { readFileIfPresent } from '../../../files/atomic.ts'
import { ConfigError } from '../../../lifecycle/errors.ts'
import type { Clock } from '../../../time/index.ts'
import { caFile, type ServingIdentity } from './identity-files.ts'

export type IdentitySource = Pick<MqttTlsConfig, 'certificate' | 'key' | 'clientCa' | 'names'>

/** A self-made certificate is renewed when it has so long left: 60 days. */
const RENEW_MS = 60 * 86_400_000

/** What is at hand of the certificates now. Throws ConfigError with what to do. */
export async function readServingIdentity(
  source: IdentitySource,
  folder: string,
  clock: Clock,
): Promise<ServingIdentity> {
  const { certificate, key, clientCa } = source
  if ((certificate === undefined) !== (key === undefined)) {
    throw new ConfigError('mqtt.tls: certificate and key go together', { code: 'PLATFORM_MQTT_TLS_INCOMPLETE' })
  }
  const own =
    certificate === undefined || key === undefined
      ? await selfMade(folder, source.names, clock)
      : { cert: await read(certificate), key: await read(key) }
  const identity = clientCa === undefined ? own : { ...own, ca: await read(clientCa) }
  try {
    checkServing(identity)
  } catch (cause) {
    throw new ConfigError('mqtt.tls: the certificate, its key or clientCa cannot be used', {
      code: 'PLATFORM_MQTT_TLS_INVALID',
      fields: { certificate: certificate ?? folder, ...(clientCa === undefined ? {} : { clientCa }) },
      cause,
    })
  }
  return identity
}

async function selfMade(folder: string, names: readonly string[], clock: Clock): Promise<ServingIdentity> {
  const wanted = [...new Set(['localhost', '127.0.0.1', '::1', hostname(), ...names])]
  const present = await Promise.all(
    [caFile(folder), join(folder, 'server.crt'), join(folder, 'server.key')].map(readFileIfPresent),
  )
  const [ca, cert, key] = present
  if (ca !== undefined && cert !== undefined && key !== undefined && isGood(cert, key, ca, wanted, clock)) {
    return { cert, key }
  }
  // Loaded when it is needed, once a year: what issues certificates is large.
  const { issueServingCertificate } = await import('./self-made.ts')
  return issueServingCertificate(folder, wanted, clock)
}

function isGood(cert: string, key: string, ca: string, wanted: readonly string[], clock: Clock): boolean {
  try {
    const { dnsNames, ipAddresses, notAfter, publicKeyDer } = parseCertificate(cert)
    const named = new Set([...dnsNames, ...ipAddresses.map(plainAddress)])
    return (
      notAfter.getTime() - clock.now() > RENEW_MS &&
      wanted.every((name) => named.has(plainAddress(name))) &&
      Buffer.compare(publicKeyDer, loadKeyPair(key).publicKeyDer) === 0 &&
      new X509Certificate(cert).verify(new X509Certificate(ca).publicKey)
    )
  } catch {
    // Whatever is wrong with it, it is made anew.
    return false
  }
}

/** One spelling of each address: certificates spell IPv6 in their own way. */
function plainAddress(name: string): string {
  return isIP(name) === 6 ? (URL.parse(`http://[${name}]`)?.hostname ?? name) : name
}

async function read(file: string): Promise<string> {
  const text = await readFileIfPresent(file)
  if (text !== undefined) return text
  throw new ConfigError(`mqtt.tls: there is no file ${file}`, { code: 'PLATFORM_MQTT_TLS_MISSING', fields: { file } })
}
