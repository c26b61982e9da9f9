import {
  AttributeIds,
  BrowseDirection,
  BrowsePath,
  type ClientSession,
  coerceNodeId,
  DataType,
  DataTypeIds,
  type NodeId,
  ObjectIds,
  type ReadValueIdOptions,
  ReferenceTypeIds,
  VariantArrayType,
} from 'node-opcua-client'
import type { Outcome } from '../../contract/index.ts'
import { parseBrowsePath, parseNodeId } from '../address.ts'
import { ATTRIBUTES, type DeviceConfig, type VisitorConfig } from '../config.ts'
import type { Lifeline } from '../session/lifeline.ts'
import { refuseWhole } from '../values/index-range.ts'
import { failed, isBad, statusError } from '../values/reading.ts'
import type { ValueType } from '../values/to-variant.ts'
import { inBatches } from './batches.ts'
import type { Limits } from './limits.ts'

/** A visit, as far as its place goes. */
export interface Placed {
  readonly device: Pick<DeviceConfig, 'root'>
  readonly visitor: VisitorConfig
}

type BrowsePathOptions = NonNullable<ConstructorParameters<typeof BrowsePath>[0]>

/** What a visitor means on one server, as it numbers its namespaces now. */
export class Nodes {
  readonly #session: ClientSession
  readonly #lifeline: Lifeline
  readonly #limits: Limits
  readonly #namespaces: readonly string[]
  readonly #paths = new Map<string, NodeId>()
  readonly #types = new Map<string, ValueType>()
  readonly #ranges = new Set<string>()

  constructor(session: ClientSession, lifeline: Lifeline, limits: Limits, namespaces: readonly string[]) {
    this.#session = session
    this.#lifeline = lifeline
    this.#limits = limits
    this.#namespaces = namespaces
  }

  /** Where to read, write and monitor; one outcome for each visit. Browse paths are asked for once. */
  async resolve(
    visits: readonly Placed[],
    signal: AbortSignal,
  ): Promise<readonly Outcome<ReadValueIdOptions & { readonly nodeId: NodeId }>[]> {
    const paths = new Map<string, Placed>()
    for (const visit of visits) {
      const key = pathOf(visit)
      if (key !== undefined && !this.#paths.has(key)) paths.set(key, visit)
    }
    const failures = await this.#translate(paths, signal)
    return visits.map((visit) => {
      const { visitor } = visit
      const path = pathOf(visit)
      try {
        const found = path === undefined ? this.id(visitor.nodeId ?? '') : this.#paths.get(path)
        if (!found) return failed(failures.get(path ?? '') ?? new Error('the visitor names no node'))
        return { ok: true, value: { nodeId: found, attributeId: ATTRIBUTES[visitor.attribute], ...rangeOf(visitor) } }
      } catch (error) {
        return failed(asError(error))
      }
    })
  }

  /** Throws for a namespace that the server does not have. */
  id(text: string): NodeId {
    const address = parseNodeId(text)
    if (!address) throw new Error(`"${text}" is no node id`)
    return coerceNodeId(`ns=${this.#index(address.namespace)};${address.identifier}`)
  }

  /** With its namespace by URI, so that it stays right. */
  nameOf(id: NodeId): string {
    const uri = this.#namespaces[id.namespace]
    const identifier = id.toString().replace(/^ns=\d+;/, '')
    return id.namespace === 0 || uri === undefined ? identifier : `nsu=${uri};${identifier}`
  }

  /** Asks for it anew next time: the server has changed. */
  forget(visit: Placed): void {
    const path = pathOf(visit)
    if (path !== undefined) this.#paths.delete(path)
    this.#types.clear()
    this.#ranges.clear()
  }

  /** What a variable takes, asked for once. */
  async typeOf(nodeId: NodeId, signal: AbortSignal): Promise<ValueType> {
    const key = nodeId.toString()
    const known = this.#types.get(key)
    if (known) return known
    const attributes = [AttributeIds.DataType, AttributeIds.ValueRank, AttributeIds.Value]
    const [dataType, valueRank, current] = await this.#lifeline.run(
      signal,
      this.#session.read(attributes.map((attributeId) => ({ nodeId, attributeId }))),
    )
    if (!dataType || isBad(dataType.statusCode)) throw statusError(dataType?.statusCode ?? fail('no answer'))
    const id: NodeId = dataType.value.value
    const rank: unknown = valueRank?.value.value
    const type = await this.builtIn(id, signal)
    // Below -1 it may be one or the other: then as it is now. OPC UA part 3, 5.6.2.
    const mayBeArray = typeof rank === 'number' && rank < -1 && current?.value.arrayType === VariantArrayType.Array
    const isArray = mayBeArray || (typeof rank === 'number' && rank >= 0)
    const found = { dataType: type ?? current?.value.dataType ?? DataType.Null, isArray }
    if (found.dataType === DataType.Null) throw new Error('the server does not say what type it wants')
    this.#types.set(key, found)
    return found
  }

  /** Throws where the server takes the whole for the range: then a write of the range would lose all the rest. */
  async checkRange(target: ReadValueIdOptions & { readonly nodeId: NodeId }, range: string, signal: AbortSignal) {
    const key = `${target.nodeId} ${range}`
    if (this.#ranges.has(key)) return
    const [said] = await this.#lifeline.run(signal, this.#session.read([target]))
    if (!said || isBad(said.statusCode)) throw said ? statusError(said.statusCode) : new Error('no answer')
    refuseWhole(said.value, range)
    this.#ranges.add(key)
  }

  /** The built-in type below a type of the server; undefined where it can be several, as Number. */
  async builtIn(dataType: NodeId, signal: AbortSignal): Promise<DataType | undefined> {
    let id = dataType
    for (let depth = 0; depth < 20; depth++) {
      if (id.namespace === 0 && typeof id.value === 'number') {
        if (id.value === DataTypeIds.Enumeration) return DataType.Int32
        if (ABSTRACT.has(id.value)) return undefined
        if (id.value <= DataType.DiagnosticInfo) return id.value
      }
      const browsed = await this.#lifeline.run(
        signal,
        this.#session.browse({
          nodeId: id,
          browseDirection: BrowseDirection.Inverse,
          referenceTypeId: `i=${ReferenceTypeIds.HasSubtype}`,
          includeSubtypes: false,
          nodeClassMask: 0,
          resultMask: 0,
        }),
      )
      const parent = browsed.references?.[0]?.nodeId
      if (!parent) return undefined
      id = parent
    }
    return undefined
  }

  async #translate(paths: ReadonlyMap<string, Placed>, signal: AbortSignal): Promise<ReadonlyMap<string, Error>> {
    const failures = new Map<string, Error>()
    const requests: { readonly key: string; readonly request: BrowsePathOptions }[] = []
    for (const [key, visit] of paths) {
      try {
        requests.push({ key, request: this.#browsePath(visit) })
      } catch (error) {
        failures.set(key, asError(error))
      }
    }
    const outcomes = await inBatches(requests, this.#limits.translate, (batch) =>
      this.#lifeline.run(
        signal,
        this.#session.translateBrowsePath(batch.map(({ request }) => new BrowsePath(request))),
      ),
    )
    for (const [at, { key }] of requests.entries()) {
      const outcome = outcomes[at]
      const target = outcome?.ok ? outcome.value.targets?.[0]?.targetId : undefined
      if (target) this.#paths.set(key, target)
      else if (outcome && !outcome.ok) failures.set(key, outcome.error)
      else failures.set(key, new Error(`the server has nothing at ${key}: ${outcome?.value.statusCode.name}`))
    }
    return failures
  }

  #browsePath({ device: { root }, visitor }: Placed): BrowsePathOptions {
    const isNode = root !== undefined && parseNodeId(root) !== undefined
    const above = root === undefined || isNode ? [] : (parseBrowsePath(root) ?? [])
    const steps = [...above, ...(parseBrowsePath(visitor.browsePath ?? '') ?? [])]
    // People copy paths with the folder that they start from.
    const [first] = steps
    const below = !isNode && first?.namespace === 0 && first.name === 'Objects' ? steps.slice(1) : steps
    const elements = below.map(({ namespace, name }) => ({
      referenceTypeId: `i=${ReferenceTypeIds.HierarchicalReferences}`,
      isInverse: false,
      includeSubtypes: true,
      targetName: { namespaceIndex: this.#index(namespace), name },
    }))
    const startingNode = isNode ? this.id(root) : `i=${ObjectIds.ObjectsFolder}`
    return { startingNode, relativePath: { elements } }
  }

  #index(namespace: number | string): number {
    if (typeof namespace === 'number') return namespace
    const index = this.#namespaces.indexOf(namespace)
    if (index >= 0) return index
    throw new Error(`the server has no namespace ${namespace}; it has: ${this.#namespaces.join(', ')}`)
  }
}

/** Types of which a variable holds one or the other. */
const ABSTRACT = new Set<number>([
  DataTypeIds.BaseDataType,
  DataTypeIds.Number,
  DataTypeIds.Integer,
  DataTypeIds.UInteger,
])

/** The library takes the text as it stands, but says that it does not. */
function rangeOf(visitor: VisitorConfig): Pick<ReadValueIdOptions, 'indexRange'>
function rangeOf({ indexRange }: VisitorConfig): object {
  return indexRange === undefined ? {} : { indexRange }
}

/** Undefined where a node id says where it is. */
function pathOf({ device, visitor }: Placed): string | undefined {
  return visitor.nodeId === undefined
    ? `${device.root ?? ''}/${visitor.browsePath ?? ''}`.replaceAll('//', '/')
    : undefined
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

function fail(message: string): never {
  throw new Error(message)
}
