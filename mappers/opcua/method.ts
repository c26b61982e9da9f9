import {
  type Argument,
  BrowseDirection,
  DataType,
  type NodeId,
  ReferenceTypeIds,
  type Variant,
} from 'node-opcua-client'
import type { Call, Outcome, PropertyValue } from '../contract/index.ts'
import type { DeviceConfig, VisitorConfig } from './config.ts'
import type { Link } from './link.ts'
import { faultOf } from './service/faults.ts'
import { fromVariant } from './values/from-variant.ts'
import { describeStatus, failed, isBad, statusError } from './values/reading.ts'
import { toVariant } from './values/to-variant.ts'

/** Calls a method with arguments as the server declares them. A refusal, also of an argument, is an outcome. */
export async function callMethod(
  link: Link,
  call: Call<DeviceConfig, VisitorConfig>,
  signal: AbortSignal,
): Promise<Outcome<readonly PropertyValue[]>> {
  const { session, lifeline, nodes } = link
  try {
    const methodId = nodes.id(call.visitor.method ?? '')
    const objectId =
      call.visitor.objectId === undefined ? await ownerOf(link, methodId, signal) : nodes.id(call.visitor.objectId)
    const { inputArguments } = await lifeline.run(signal, session.getArgumentDefinition(methodId))
    const given = await typed(link, inputArguments, call.arguments, signal)
    const result = await lifeline.run(signal, session.call({ objectId, methodId, inputArguments: [...given] }))
    if (isBad(result.statusCode)) {
      const blamed = (result.inputArgumentResults ?? []).flatMap((status, at) =>
        isBad(status) ? [`${inputArguments[at]?.name ?? at}: ${status.name}`] : [],
      )
      const more = blamed.length > 0 ? ` (${blamed.join(', ')})` : ''
      return failed(new Error(`${describeStatus(result.statusCode)}${more}`))
    }
    return { ok: true, value: (result.outputArguments ?? []).map(outputOf) }
  } catch (error) {
    if (signal.aborted || lifeline.lost.aborted) throw error
    const fault = faultOf(error)
    return failed(fault ? statusError(fault) : error instanceof Error ? error : new Error(String(error)))
  }
}

async function typed(
  { nodes }: Link,
  wanted: readonly Argument[],
  given: readonly PropertyValue[],
  signal: AbortSignal,
) {
  if (wanted.length !== given.length) {
    const names = wanted.map(({ name }) => name ?? '?').join(', ')
    throw new Error(
      `the method takes ${wanted.length === 1 ? '1 argument' : `${wanted.length} arguments`} (${names || 'none'}), not ${given.length}`,
    )
  }
  const variants = []
  for (const [at, { name, dataType, valueRank }] of wanted.entries()) {
    const builtIn = await nodes.builtIn(dataType, signal)
    const value = given[at] ?? ''
    try {
      variants.push(toVariant(value, { dataType: builtIn ?? guess(value), isArray: valueRank >= 0 }))
    } catch (error) {
      throw new Error(`argument ${name ?? at}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return variants
}

/** For an argument that may be of any type. */
function guess(value: PropertyValue): DataType {
  if (typeof value === 'boolean') return DataType.Boolean
  if (typeof value === 'number') return DataType.Double
  if (typeof value === 'bigint') return DataType.Int64
  return value instanceof Uint8Array ? DataType.ByteString : DataType.String
}

async function ownerOf({ session, lifeline }: Link, methodId: NodeId, signal: AbortSignal): Promise<NodeId> {
  const browsed = await lifeline.run(
    signal,
    session.browse({
      nodeId: methodId,
      browseDirection: BrowseDirection.Inverse,
      referenceTypeId: `i=${ReferenceTypeIds.HasComponent}`,
      includeSubtypes: true,
      nodeClassMask: 0,
      resultMask: 0,
    }),
  )
  if (isBad(browsed.statusCode)) throw statusError(browsed.statusCode)
  const owner = browsed.references?.[0]?.nodeId
  if (!owner) throw new Error('the server does not say which object has the method: set objectId')
  return owner
}

function outputOf(variant: Variant): PropertyValue {
  const content: unknown = variant.value
  return content === null || content === undefined ? '' : fromVariant(variant, 'STRING')
}
