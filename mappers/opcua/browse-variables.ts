import { AttributeIds, BrowsePath, DataType, type DataValue, NodeId, ReferenceTypeIds } from 'node-opcua-client'
import type { AccessMode, DiscoveredProperty, PropertyType } from '../contract/index.ts'
import type { Link } from './link.ts'
import { inBatches } from './service/batches.ts'
import { isBad } from './values/reading.ts'

export type FoundVariable = Omit<DiscoveredProperty, 'name' | 'visitor'>

/** Bits of AccessLevel. */
const READ = 1
const WRITE = 2
const LONGEST_DESCRIPTION = 200

/** What a manifest would say of each variable; undefined where it cannot be read. */
export async function describeVariables(
  link: Link,
  ids: readonly NodeId[],
  signal: AbortSignal,
): Promise<readonly (FoundVariable | undefined)[]> {
  const attributes = [
    AttributeIds.DataType,
    AttributeIds.ValueRank,
    AttributeIds.UserAccessLevel,
    AttributeIds.Description,
  ]
  const reads = ids.flatMap((nodeId) => attributes.map((attributeId) => ({ nodeId, attributeId })))
  const said = await readAll(link, reads, signal)
  const units = await propertiesOf(link, ids, 'EngineeringUnits', signal)
  const ranges = await propertiesOf(link, ids, 'EURange', signal)
  const found: (FoundVariable | undefined)[] = []
  for (const [at] of ids.entries()) {
    const [dataType, rank, level, description] = said.slice(at * attributes.length, (at + 1) * attributes.length)
    const accessMode = accessOf(level?.value.value)
    const type: unknown = dataType?.value.value
    if (accessMode === undefined || !(type instanceof NodeId)) {
      found.push(undefined)
      continue
    }
    const isArray = numberOf(rank?.value, 'value') !== undefined && (numberOf(rank?.value, 'value') ?? -1) >= 0
    found.push({
      type: isArray ? 'STRING' : typeOf(await link.nodes.builtIn(type, signal)),
      accessMode,
      ...optional('description', textOf(description?.value.value)?.slice(0, LONGEST_DESCRIPTION)),
      ...optional('unit', textOf(Reflect.get(Object(units[at]), 'displayName'))),
      ...optional('minimum', numberOf(ranges[at], 'low')?.toString()),
      ...optional('maximum', numberOf(ranges[at], 'high')?.toString()),
    })
  }
  return found
}

/** Values of one property of each node, where it has it. */
async function propertiesOf(
  link: Link,
  ids: readonly NodeId[],
  name: string,
  signal: AbortSignal,
): Promise<readonly unknown[]> {
  const { session, lifeline, limits } = link
  const elements = [
    {
      referenceTypeId: `i=${ReferenceTypeIds.HasProperty}`,
      isInverse: false,
      includeSubtypes: true,
      targetName: { namespaceIndex: 0, name },
    },
  ]
  const translated = await inBatches(ids, limits.translate, (batch) =>
    lifeline.run(
      signal,
      session.translateBrowsePath(
        batch.map((startingNode) => new BrowsePath({ startingNode, relativePath: { elements } })),
      ),
    ),
  )
  const targets = translated.map((outcome) => (outcome.ok ? outcome.value.targets?.[0]?.targetId : undefined))
  const known = targets.flatMap((nodeId) => (nodeId ? [{ nodeId, attributeId: AttributeIds.Value }] : []))
  const values = await readAll(link, known, signal)
  let at = 0
  return targets.map((target): unknown => (target ? values[at++]?.value.value : undefined))
}

async function readAll(
  { session, lifeline, limits }: Link,
  reads: readonly { readonly nodeId: NodeId; readonly attributeId: AttributeIds }[],
  signal: AbortSignal,
): Promise<readonly (DataValue | undefined)[]> {
  const outcomes = await inBatches(reads, limits.read, (batch) => lifeline.run(signal, session.read([...batch])))
  return outcomes.map((outcome) => (outcome.ok && !isBad(outcome.value.statusCode) ? outcome.value : undefined))
}

function accessOf(level: unknown): AccessMode | undefined {
  if (typeof level !== 'number' || (level & READ) === 0) return undefined
  return (level & WRITE) === 0 ? 'ReadOnly' : 'ReadWrite'
}

function typeOf(builtIn: DataType | undefined): PropertyType {
  switch (builtIn) {
    case DataType.Boolean:
      return 'BOOLEAN'
    case DataType.SByte:
    case DataType.Byte:
    case DataType.Int16:
    case DataType.UInt16:
    case DataType.Int32:
    case DataType.UInt32:
    case DataType.Int64:
    case DataType.UInt64:
      return 'INT'
    case DataType.Float:
      return 'FLOAT'
    case DataType.Double:
    case undefined:
      return 'DOUBLE'
    case DataType.ByteString:
      return 'BYTES'
    default:
      return 'STRING'
  }
}

/** Of a LocalizedText. */
function textOf(value: unknown): string | undefined {
  const text: unknown = Reflect.get(Object(value), 'text')
  return typeof text === 'string' && text !== '' ? text : undefined
}

function numberOf(value: unknown, key: string): number | undefined {
  const number: unknown = Reflect.get(Object(value), key)
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

function optional<K extends string>(key: K, value: string | undefined): { readonly [P in K]?: string }
function optional(key: string, value: string | undefined): object {
  return value === undefined ? {} : { [key]: value }
}
