import { BlockList, isIP } from 'node:net'
import type { Json } from '../../../schemas/index.ts'
import type { ApiObject } from '../resource.ts'
import { child, type FieldError, index, invalid, notSupported, required } from '../schema/field-error.ts'
import { at, isJsonArray, isJsonObject } from '../schema/json.ts'
import { dnsLabel } from '../schema/names.ts'
import type { KindRules } from './kind-rules.ts'

const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
/** Addresses that mean something else on each node, and what is said of them. */
const SPECIAL: readonly (readonly [BlockList, (ip: string) => string])[] = [
  [ranges('0.0.0.0/32', '::/128'), (ip) => `may not be unspecified (${ip})`],
  [ranges('127.0.0.0/8', '::1/128'), () => 'may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  [ranges('169.254.0.0/16', 'fe80::/10'), () => 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'],
  [ranges('224.0.0.0/24', 'ff02::/16'), () => 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'],
]

export const ENDPOINTS_RULES: KindRules = { defaults: defaultEndpoints, validate: endpointsErrors }

function defaultEndpoints(endpoints: ApiObject): ApiObject {
  const { subsets } = endpoints
  return isJsonArray(subsets) ? { ...endpoints, subsets: subsets.map(defaultSubset) } : endpoints
}

function defaultSubset(subset: Json): Json {
  if (!isJsonObject(subset) || !isJsonArray(subset['ports'])) return subset
  const ports = subset['ports'].map((port) => (isJsonObject(port) ? { protocol: 'TCP', ...port } : port))
  return { ...subset, ports }
}

function endpointsErrors(endpoints: ApiObject): readonly FieldError[] {
  return list(endpoints['subsets']).flatMap((subset, position) => {
    const path = index('subsets', position)
    const [ready, notReady] = [list(at(subset, 'addresses')), list(at(subset, 'notReadyAddresses'))]
    const ports = list(at(subset, 'ports'))
    return [
      ...(ready.length + notReady.length === 0
        ? [required(path, 'must specify `addresses` or `notReadyAddresses`')]
        : []),
      ...addressErrors(ready, child(path, 'addresses')),
      ...addressErrors(notReady, child(path, 'notReadyAddresses')),
      ...ports.flatMap((port, place) => portErrors(port, index(child(path, 'ports'), place), ports.length > 1)),
    ]
  })
}

function addressErrors(addresses: readonly Json[], path: string): readonly FieldError[] {
  return addresses.flatMap((address, position) => {
    const ip = at(address, 'ip')
    const field = child(index(path, position), 'ip')
    if (typeof ip !== 'string' || isIP(ip) === 0) return [invalid(field, ip ?? '', 'must be a valid IP address')]
    const family = isIP(ip) === 6 ? 'ipv6' : 'ipv4'
    return SPECIAL.filter(([range]) => range.check(ip, family)).map(([, why]) => invalid(field, ip, why(ip)))
  })
}

function ranges(...subnets: readonly string[]): BlockList {
  const blocks = new BlockList()
  for (const subnet of subnets) {
    const [net = '', prefix] = subnet.split('/')
    blocks.addSubnet(net, Number(prefix), isIP(net) === 6 ? 'ipv6' : 'ipv4')
  }
  return blocks
}

function portErrors(port: Json, path: string, needsName: boolean): readonly FieldError[] {
  const [name, number, protocol] = [at(port, 'name') ?? '', at(port, 'port') ?? 0, at(port, 'protocol') ?? '']
  const isPort = typeof number === 'number' && number >= 1 && number <= 65535
  return [
    ...(name === '' && needsName ? [required(child(path, 'name'))] : []),
    ...(typeof name === 'string' && name !== ''
      ? dnsLabel(name).map((text) => invalid(child(path, 'name'), name, text))
      : []),
    ...(isPort ? [] : [invalid(child(path, 'port'), number, 'must be between 1 and 65535, inclusive')]),
    ...(typeof protocol === 'string' && !PROTOCOLS.includes(protocol)
      ? [notSupported(child(path, 'protocol'), protocol, PROTOCOLS)]
      : []),
  ]
}

function list(value: Json | undefined): readonly Json[] {
  return isJsonArray(value) ? value : []
}
