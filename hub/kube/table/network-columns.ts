import type { Json } from '../../../schemas/index.ts'
import type { ApiObject } from '../resource.ts'
import { at, isJsonArray, isJsonObject } from '../schema/json.ts'
import { selectorText } from '../selectors/index.ts'
import { AGE, type Column, column, NAME } from './columns.ts'

/** As many addresses and ports as a cell shows. */
const MOST_SHOWN = 3

export const SERVICE_COLUMNS: readonly Column[] = [
  NAME,
  column('Type', (service) => at(service, 'spec', 'type') ?? ''),
  column('Cluster-IP', (service) => textOr(at(service, 'spec', 'clusterIP'), '<none>')),
  column('External-IP', externalAddresses),
  column('Port(s)', (service) => listed(list(at(service, 'spec', 'ports')).map(servicePort))),
  AGE,
  column('Selector', (service) => labels(at(service, 'spec', 'selector')), { priority: 1 }),
]

export const ENDPOINTS_COLUMNS: readonly Column[] = [NAME, column('Endpoints', endpoints), AGE]

export const ENDPOINT_SLICE_COLUMNS: readonly Column[] = [
  NAME,
  column('AddressType', (slice) => at(slice, 'addressType') ?? ''),
  column('Ports', (slice) =>
    shortened(
      list(at(slice, 'ports')).map((port) => String(at(port, 'port') ?? at(port, 'name') ?? '*')),
      '<unset>',
    ),
  ),
  column('Endpoints', (slice) =>
    shortened(
      list(at(slice, 'endpoints')).flatMap((each) => list(at(each, 'addresses')).map(String)),
      '<unset>',
    ),
  ),
  AGE,
]

export const NETWORK_POLICY_COLUMNS: readonly Column[] = [
  NAME,
  column('Pod-Selector', (policy) => {
    const text = selectorText(at(policy, 'spec', 'podSelector'))
    return text === '' ? '<none>' : text
  }),
  AGE,
]

function externalAddresses(service: ApiObject): string {
  const given = list(at(service, 'spec', 'externalIPs')).map(String)
  const type = at(service, 'spec', 'type')
  if (type === 'ExternalName') return textOr(at(service, 'spec', 'externalName'), '<none>')
  if (type !== 'LoadBalancer') return listed(given)
  const balanced = list(at(service, 'status', 'loadBalancer', 'ingress')).map((each) =>
    textOr(at(each, 'ip'), textOr(at(each, 'hostname'), '')),
  )
  const known = [...new Set(balanced.filter((each) => each !== ''))].sort()
  return listed([...known, ...given], '<pending>')
}

function servicePort(port: Json): string {
  const node = at(port, 'nodePort')
  const number = String(at(port, 'port') ?? '')
  return `${node === undefined || node === 0 ? number : `${number}:${String(node)}`}/${textOr(at(port, 'protocol'), 'TCP')}`
}

function endpoints(object: ApiObject): string {
  const all = list(at(object, 'subsets')).flatMap((subset) => {
    const addresses = list(at(subset, 'addresses')).map((each) => textOr(at(each, 'ip'), ''))
    const ports = list(at(subset, 'ports'))
    if (ports.length === 0) return addresses
    return ports.flatMap((port) => addresses.map((address) => `${inPlace(address)}:${String(at(port, 'port') ?? '')}`))
  })
  return shortened(all, '<none>')
}

/** An address of IPv6 has colons of its own. */
function inPlace(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}

function shortened(all: readonly string[], none: string): string {
  if (all.length <= MOST_SHOWN) return listed(all, none)
  return `${all.slice(0, MOST_SHOWN).join(',')} + ${all.length - MOST_SHOWN} more...`
}

function labels(selector: Json | undefined): string {
  const pairs = Object.entries(isJsonObject(selector) ? selector : {}).map(([key, value]) => `${key}=${String(value)}`)
  return listed(pairs.sort())
}

function listed(texts: readonly string[], none = '<none>'): string {
  return texts.join(',') || none
}

function list(value: Json | undefined): readonly Json[] {
  return isJsonArray(value) ? value : []
}

function textOr(value: Json | undefined, other: string): string {
  return typeof value === 'string' && value !== '' ? value : other
}
