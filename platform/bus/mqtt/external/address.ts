import { readFile, stat } from 'node:fs/promises'
import { isIP } from 'node:net'
import { ConfigError } from '../../../lifecycle/errors.ts'

/** Where the broker is and how this edge proves who it is. Files are paths. */
export interface BrokerAddress {
  /** `mqtt://` or `tcp://`, with TLS `mqtts://` or `ssl://`. */
  readonly url: string
  readonly username?: string
  readonly passwordFile?: string
  readonly ca?: string
  readonly certificate?: string
  readonly key?: string
  /** Take any certificate of the broker. */
  readonly insecureSkipVerify: boolean
}

/** Where to connect, as sockets take it. */
export interface Endpoint {
  readonly host: string
  readonly port: number
  readonly isTls: boolean
}

/** What is read anew for each connection, so that renewed files count. */
export interface Credentials {
  readonly password?: string
  readonly tls: {
    readonly servername?: string
    readonly rejectUnauthorized: boolean
    readonly ca?: string
    readonly cert?: string
    readonly key?: string
  }
}

/** Throws a ConfigError for settings that contradict each other. */
export function endpointOf(address: BrokerAddress): Endpoint {
  const { protocol, hostname, port } = new URL(address.url)
  const isTls = protocol === 'mqtts:' || protocol === 'ssl:'
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const isSecret = address.ca !== undefined || address.certificate !== undefined || address.key !== undefined
  if (isSecret && !isTls) throw wrong('/mqtt/external/url', 'ca, certificate and key need a URL with mqtts://')
  if ((address.certificate === undefined) !== (address.key === undefined)) {
    throw wrong('/mqtt/external/certificate', 'certificate and key go together')
  }
  if (address.passwordFile !== undefined && address.username === undefined) {
    throw wrong('/mqtt/external/username', 'a password needs a username')
  }
  return { host, port: port === '' ? (isTls ? 8883 : 1883) : Number(port), isTls }
}

export async function readCredentials(address: BrokerAddress, { host, isTls }: Endpoint): Promise<Credentials> {
  const [password, ca, cert, key] = await Promise.all(
    [address.passwordFile, address.ca, address.certificate, address.key].map((file) =>
      file === undefined ? undefined : readFile(file, 'utf8'),
    ),
  )
  return {
    ...(password === undefined ? {} : { password: password.replace(/\r?\n$/, '') }),
    tls: {
      rejectUnauthorized: !address.insecureSkipVerify,
      // RFC 6066 §3: no IP address as server name.
      ...(isTls && isIP(host) === 0 ? { servername: host } : {}),
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    },
  }
}

/** Which of the secret files others on this machine may read. */
export async function readableByOthers({ passwordFile, key }: BrokerAddress): Promise<readonly string[]> {
  const open: string[] = []
  if (process.platform === 'win32') return open
  for (const file of [passwordFile, key]) {
    if (file === undefined) continue
    const found = await stat(file).catch(() => undefined)
    if (found && (found.mode & 0o004) !== 0) open.push(file)
  }
  return open
}

function wrong(pointer: string, reason: string): ConfigError {
  return new ConfigError('The settings of the external MQTT broker contradict each other', {
    code: 'PLATFORM_MQTT_SETTINGS',
    fields: { pointer, reason },
  })
}
