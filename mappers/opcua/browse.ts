import {
  BrowseDirection,
  type BrowseResult,
  NodeClass,
  type NodeId,
  ObjectIds,
  ReferenceTypeIds,
} from 'node-opcua-client'
import type { Discovered, DiscoveredProperty } from '../contract/index.ts'
import { describeVariables, type FoundVariable } from './browse-variables.ts'
import { type DeviceConfig, deviceConfig } from './config.ts'
import type { Link } from './link.ts'
import { inBatches } from './service/batches.ts'

/** So deep below a device, and so many properties of one: beyond that somebody has to choose. */
const DEEPEST = 6
const MOST_PROPERTIES = 1000
const MOST_DEVICES = 200
/** Objects that are looked into for one device. */
const MOST_OBJECTS = 5000

interface Found {
  readonly id: NodeId
  readonly name: string
  readonly kind: NodeClass
}

/** A node with the names on the way to it from its device. */
interface Step {
  readonly id: NodeId
  readonly path: readonly string[]
  readonly kind: NodeClass
  readonly owner: NodeId
}

/**
 * What a server has to offer: each object in its folder Objects as a device, with the variables and methods below it, and one
 * device for variables that lie there alone. What OPC UA itself puts there is left out.
 */
export async function* browseServer(link: Link, device: DeviceConfig, signal: AbortSignal): AsyncIterable<Discovered> {
  const root = link.nodes.id(`i=${ObjectIds.ObjectsFolder}`)
  const [top = []] = await childrenOf(link, [root], signal)
  const own = top.filter(({ id }) => id.namespace !== 0)
  const names = new Set<string>()
  const objects = own.filter(({ kind }) => kind === NodeClass.Object)
  if (objects.length > MOST_DEVICES) {
    link.log.warn('Not all devices are described', { of: objects.length, described: MOST_DEVICES })
  }
  for (const { id, name } of objects.slice(0, MOST_DEVICES)) {
    const steps = await below(link, { id, path: [], kind: NodeClass.Object, owner: id }, signal)
    const found = await describe(link, device, { name, steps, names }, signal)
    if (found.properties.length > 0) yield found
  }
  const alone = own.filter(({ kind }) => kind !== NodeClass.Object)
  if (alone.length === 0) return
  const steps = alone.map(({ id, name, kind }) => ({ id, path: [name], kind, owner: root }))
  yield describe(link, device, { name: link.serverName, steps, names }, signal)
}

/** Breadth first, so that a bound cuts off what is deep. */
async function below(link: Link, start: Step, signal: AbortSignal): Promise<readonly Step[]> {
  const leaves: Step[] = []
  const seen = new Set([start.id.toString()])
  let level: readonly Step[] = [start]
  for (let depth = 0; depth < DEEPEST && level.length > 0; depth++) {
    const children = await childrenOf(
      link,
      level.map(({ id }) => id),
      signal,
    )
    const next: Step[] = []
    for (const [at, parent] of level.entries()) {
      for (const { id, name, kind } of children[at] ?? []) {
        if (seen.has(id.toString())) continue
        seen.add(id.toString())
        if (leaves.length >= MOST_PROPERTIES || seen.size > MOST_OBJECTS + MOST_PROPERTIES) {
          link.log.warn('Not all of a device is described', { device: start.id.toString(), properties: leaves.length })
          return leaves
        }
        const step = { id, path: [...parent.path, name], kind, owner: parent.id }
        if (kind === NodeClass.Object) next.push(step)
        else leaves.push(step)
      }
    }
    level = next
  }
  return leaves
}

interface Describing {
  readonly name: string
  readonly steps: readonly Step[]
  /** Of devices so far. */
  readonly names: Set<string>
}

async function describe(
  link: Link,
  device: DeviceConfig,
  { name, steps, names }: Describing,
  signal: AbortSignal,
): Promise<Discovered> {
  const taken = new Set<string>()
  const variables = steps.filter(({ kind }) => kind === NodeClass.Variable)
  const found = await describeVariables(
    link,
    variables.map(({ id }) => id),
    signal,
  )
  const properties: DiscoveredProperty[] = []
  for (const [at, { id, path }] of variables.entries()) {
    const about = found[at]
    if (about) properties.push(variableProperty(link, unique(propertyName(path), taken), { id, path }, about))
  }
  for (const { id, path, owner } of steps.filter(({ kind }) => kind === NodeClass.Method)) {
    properties.push({
      name: unique(propertyName(path), taken),
      description: `Method ${path.join(' / ')}`,
      type: 'STRING',
      accessMode: 'ReadOnly',
      visitor: { method: link.nodes.nameOf(id), objectId: link.nodes.nameOf(owner) },
    })
  }
  return { name: unique(deviceName(name), names), description: name, device: asked(device), properties }
}

function variableProperty(
  link: Link,
  name: string,
  { id, path }: Pick<Step, 'id' | 'path'>,
  about: FoundVariable,
): DiscoveredProperty {
  // Many servers describe a node by repeating its name.
  const { description, ...rest } = about
  const said = description === undefined || description === path.at(-1) ? {} : { description }
  return { name, ...rest, ...said, visitor: { nodeId: link.nodes.nameOf(id) } }
}

/** What the manifest has to say so that the device is reached as it was just now; defaults are left out. */
function asked(device: DeviceConfig): { readonly [key: string]: unknown } {
  const plain = deviceConfig.parse({ url: device.url })
  const defaults = new Map<string, unknown>(plain.ok ? Object.entries(plain.value) : [])
  const told = Object.entries(device).filter(([key, value]) => key !== 'root' && defaults.get(key) !== value)
  return { url: device.url, ...Object.fromEntries(told) }
}

/** `Drum / Level A` is `drumLevelA`. */
export function propertyName(path: readonly string[]): string {
  const words = path.join(' ').match(/[A-Za-z0-9]+/g) ?? ['value']
  const joined = words.map((word, at) => (at === 0 ? decapitalized(word) : capitalized(word))).join('')
  return /^[A-Za-z]/.test(joined) ? joined.slice(0, 60) : `p${joined}`.slice(0, 60)
}

/** As Kubernetes wants names. */
export function deviceName(name: string): string {
  const plain = name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 50)
  return plain === '' ? 'device' : plain
}

function unique(wanted: string, taken: Set<string>): string {
  let name = wanted
  for (let count = 2; taken.has(name); count++) name = `${wanted}-${count}`
  taken.add(name)
  return name
}

function decapitalized(word: string): string {
  return /^[A-Z0-9]+$/.test(word) ? word.toLowerCase() : `${word.charAt(0).toLowerCase()}${word.slice(1)}`
}

function capitalized(word: string): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`
}

async function childrenOf(
  { session, lifeline, limits }: Link,
  parents: readonly NodeId[],
  signal: AbortSignal,
): Promise<readonly (readonly Found[])[]> {
  const outcomes = await inBatches(parents, limits.browse, async (batch) => {
    const results = await lifeline.run(
      signal,
      session.browse(
        batch.map((nodeId) => ({
          nodeId,
          browseDirection: BrowseDirection.Forward,
          referenceTypeId: `i=${ReferenceTypeIds.HierarchicalReferences}`,
          includeSubtypes: true,
          nodeClassMask: NodeClass.Object | NodeClass.Variable | NodeClass.Method,
          resultMask: 0x3f,
        })),
      ),
    )
    return Promise.all(
      results.map(async (result) => {
        const references = [...(result.references ?? [])]
        let point: Buffer | null | undefined = result.continuationPoint
        while (point && point.length > 0) {
          const more = references.length > MOST_PROPERTIES
          const next: BrowseResult = await lifeline.run(signal, session.browseNext(point, more))
          if (more) break
          references.push(...(next.references ?? []))
          point = next.continuationPoint
        }
        return references
      }),
    )
  })
  return outcomes.map((outcome) =>
    (outcome.ok ? outcome.value : []).flatMap(({ nodeId, browseName, nodeClass, referenceTypeId }) => {
      // Properties describe their node; they are read where they mean something.
      const isProperty = referenceTypeId.namespace === 0 && referenceTypeId.value === ReferenceTypeIds.HasProperty
      return isProperty ? [] : [{ id: nodeId, name: browseName.name ?? nodeId.toString(), kind: nodeClass }]
    }),
  )
}
