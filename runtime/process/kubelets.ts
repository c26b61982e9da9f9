import { isIP } from 'node:net'
import type { ClientAuthoritySource, StreamServerOptions } from '../../hub/cloud/index.ts'
import { environment } from '../../platform/environment/index.ts'
import { ConfigError } from '../../platform/lifecycle/index.ts'
import type { Logger } from '../../platform/log/index.ts'
import type { CloudConfig } from '../../schemas/config/index.ts'

type Kubelets = CloudConfig['cloudstream']['kubelets']

/** What the stream endpoint is to do; nothing where it is off. Throws ConfigError where the configuration makes no sense. */
export function streamOptions(
  { enabled, host, port, ...kubelets }: Kubelets,
  isEmbedded: boolean,
  log: Logger,
): StreamServerOptions | undefined {
  if (!enabled) return undefined
  const { certificate, key, streamsPerCaller, streams } = kubelets
  if ((certificate === undefined) !== (key === undefined)) {
    throw wrong('certificate and key of the stream endpoint belong together: name both, or neither', 'certificate')
  }
  return {
    ...{ host, port, perCaller: streamsPerCaller, altogether: streams },
    ...(certificate === undefined || key === undefined ? {} : { serving: { certificate, key } }),
    nodes: wayToNodes(host, kubelets, isEmbedded, log),
  }
}

/** Whose client certificates callers may show; nothing where the cluster says it. */
export function clientAuthority(
  { clientCa }: Kubelets,
  embedded: string | undefined,
): { readonly clientAuthority?: ClientAuthoritySource } {
  if (clientCa !== undefined) return { clientAuthority: { file: clientCa } }
  return embedded === undefined ? {} : { clientAuthority: { pem: embedded } }
}

function wayToNodes(
  host: string,
  { advertise, nodePorts, packetFilterPort }: Omit<Kubelets, 'enabled' | 'host' | 'port'>,
  isEmbedded: boolean,
  log: Logger,
): StreamServerOptions['nodes'] {
  if (packetFilterPort !== undefined) return { by: 'packet-filter', port: packetFilterPort }
  const address = advertise ?? environment('POD_IP') ?? ownAddress(host, isEmbedded)
  if (address === undefined) {
    log.warn(
      'API servers are not told how to reach kubelets of gateways, so that kubectl logs and exec do not work: set cloudstream.kubelets.host and advertise',
      { host },
    )
    return { by: 'nothing' }
  }
  if (isIP(address) === 0) throw wrong(`${address} is no IP address, and a Node can hold no other`, 'advertise')
  const range = nodePorts === undefined ? undefined : rangeOf(nodePorts)
  return { by: 'ports', address, ...(range ? { range } : {}) }
}

/** Loopback is that of whoever dials it: right for an API server of this process alone. */
function ownAddress(host: string, isEmbedded: boolean): string | undefined {
  const isAny = host === '0.0.0.0' || host === '::'
  if (isEmbedded) return isAny || isIP(host) === 0 ? '127.0.0.1' : host
  return isAny || isIP(host) === 0 || host.startsWith('127.') || host === '::1' ? undefined : host
}

function rangeOf(text: string) {
  const [first = 0, last = 0] = text.split('-').map(Number)
  if (first > 0 && first <= last && last <= 65_535) return { first, last }
  throw wrong(
    `${text} is no range of ports: the first is at least 1, the last not below it and at most 65535`,
    'nodePorts',
  )
}

function wrong(message: string, key: string): ConfigError {
  return new ConfigError(message, {
    code: 'PROCESS_KUBELETS_CONFIG',
    fields: { pointer: `/cloudstream/kubelets/${key}` },
  })
}
