import { parseQuantity, type Quantity, quantityOf } from '../../../schemas/index.ts'
import type { PodFacts } from './facts.ts'
import type { Labels, Pod } from './pod.ts'
import type { Container } from './schema/container.ts'
import type { ResourceReference } from './schema/parts.ts'

const NANO = 1_000_000_000n
const MILLI = 1_000_000n
const KEYED = /^metadata\.(labels|annotations)\['(.*)'\]$/s
const RESOURCE = /^(limits|requests)\.(cpu|memory|ephemeral-storage)$/

/**
 * A field of a pod as its containers may be told (Kubernetes, downward API). A label or annotation that is not there is empty, and
 * so are the pod's addresses before its sandbox is there. Undefined: no such field can be told.
 */
export function fieldValue(pod: Pod, facts: PodFacts, fieldPath: string): string | undefined {
  const [, map, key = ''] = KEYED.exec(fieldPath) ?? []
  if (map !== undefined) return (map === 'labels' ? pod.labels : pod.annotations)[key] ?? ''
  switch (fieldPath) {
    case 'metadata.name':
      return pod.name
    case 'metadata.namespace':
      return pod.namespace
    case 'metadata.uid':
      return pod.uid
    case 'metadata.labels':
      return linesOf(pod.labels)
    case 'metadata.annotations':
      return linesOf(pod.annotations)
    case 'spec.nodeName':
      return facts.nodeName
    case 'spec.serviceAccountName':
      return pod.spec.serviceAccountName
    case 'status.hostIP':
      return facts.hostIps[0] ?? ''
    case 'status.hostIPs':
      return facts.hostIps.join(',')
    case 'status.podIP':
      return facts.podIps[0] ?? ''
    case 'status.podIPs':
      return facts.podIps.join(',')
    default:
      return undefined
  }
}

/**
 * What a container of the pod may take, in units of the divisor, rounded up. A limit that is not set is all that the node has to
 * give; a request that is not set is the limit that is, else 0. `container` is meant where the reference names none. Undefined:
 * there is no such container, or no such resource can be told.
 */
export function resourceValue(
  pod: Pod,
  container: Container | undefined,
  facts: PodFacts,
  { containerName = '', resource, divisor = 0 }: ResourceReference,
): string | undefined {
  const all = [...pod.spec.containers, ...pod.spec.initContainers]
  const meant = containerName === '' ? container : all.find(({ name }) => name === containerName)
  const [, list, name = ''] = RESOURCE.exec(resource) ?? []
  const unit = parseQuantity(divisor)
  if (!meant || list === undefined || unit === undefined || unit < 0n) return undefined
  const { limits, requests } = meant.resources
  const limit = parseQuantity(limits[name])
  const amount =
    list === 'limits' ? (limit ?? allocatable(facts, name)) : (parseQuantity(requests[name]) ?? limit ?? 0n)
  // Kubernetes counts processors in thousandths, and all else in whole.
  const finest = name === 'cpu' ? MILLI : NANO
  return String(roundedUp(roundedUp(amount, finest), unit === 0n ? NANO / finest : roundedUp(unit, finest)))
}

function allocatable({ allocatable: { milliCpu, memoryBytes, diskBytes } }: PodFacts, name: string): Quantity {
  if (name === 'cpu') return BigInt(Math.trunc(milliCpu)) * MILLI
  return quantityOf(name === 'memory' ? memoryBytes : diskBytes)
}

function roundedUp(amount: bigint, unit: bigint): bigint {
  return (amount + unit - 1n) / unit
}

/** A line for each, sorted: `key="value"`, the value quoted as Go quotes (Kubernetes, fieldpath.FormatMap). */
function linesOf(map: Labels): string {
  const entries = Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1))
  return entries.map(([key, value]) => `${key}=${quoted(value)}`).join('\n')
}

const PRINTABLE = /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}

function quoted(text: string): string {
  const parts = [...text.toWellFormed()].map((character) => {
    const known = ESCAPES[character]
    if (known !== undefined) return known
    if (PRINTABLE.test(character)) return character
    const code = character.codePointAt(0) ?? 0
    const hex = (digits: number) => code.toString(16).padStart(digits, '0')
    if (code < 0x80) return `\\x${hex(2)}`
    return code < 0x1_0000 ? `\\u${hex(4)}` : `\\U${hex(8)}`
  })
  return `"${parts.join('')}"`
}
