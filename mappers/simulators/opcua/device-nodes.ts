import { DataType, type StatusCode, StatusCodes, Variant } from 'node-opcua-client'
import { type Clock, seconds } from '../../../platform/time/index.ts'
import type { PropertyValue } from '../../../schemas/index.ts'
import { parseNodeId } from '../../opcua/address.ts'
import { visitorConfig } from '../../opcua/config.ts'
import { toVariant } from '../../opcua/values/to-variant.ts'
import { type SimulatedDevice, type SimulatedProperty, WriteRefusal } from '../simulated-device.ts'
import type { AddressSpace } from './opcua-server.ts'

type Namespace = ReturnType<AddressSpace['getNamespace']>
interface AnalogItems {
  addAnalogDataItem(options: object): ReturnType<Namespace['addVariable']>
}
type DeviceObject = ReturnType<Namespace['addObject']>

/** How often a recorded value is recorded. */
const RECORDING = seconds(1)
const RECORDED = 10_000
const FASTEST_SAMPLING_MS = 50

/**
 * The address space of simulated devices: an object for each, below it a variable for each property, where its visitor says. A
 * visitor with `recorded: true` has a history; one with a method and `sets: PROPERTY` sets that property to its argument.
 */
export class DeviceNodes {
  readonly #devices: readonly SimulatedDevice[]
  readonly #clock: Clock
  readonly #recordings: (() => void)[] = []
  #timer: Disposable | undefined

  constructor(devices: readonly SimulatedDevice[], clock: Clock) {
    this.#devices = devices
    this.#clock = clock
  }

  build(space: AddressSpace): void {
    for (const device of this.#devices) {
      const [first] = device.properties
      const home = namespaceOf(space, first ? (addressOf(first, 'nodeId') ?? addressOf(first, 'method')) : undefined)
      const object = home.namespace.addObject({
        browseName: device.name,
        nodeId: `s=${device.name}`,
        organizedBy: space.rootFolder.objects,
      })
      for (const property of device.properties) this.#add(space, object, device, property)
    }
    this.#record()
  }

  stop(): void {
    this.#timer?.[Symbol.dispose]()
  }

  #add(space: AddressSpace, object: DeviceObject, device: SimulatedDevice, property: SimulatedProperty): void {
    const method = addressOf(property, 'method')
    if (method !== undefined) {
      addMethod(space, object, device, property)
      return
    }
    const { model } = property
    const { namespace, nodeId } = namespaceOf(space, addressOf(property, 'nodeId') ?? `s=${device.name}.${model.name}`)
    const isRecorded = property.visitor['recorded'] === true
    const dataType = dataTypeOf(property)
    const access = [
      'CurrentRead',
      ...(model.accessMode === 'ReadOnly' ? [] : ['CurrentWrite']),
      ...(isRecorded ? ['HistoryRead'] : []),
    ].join(' | ')
    const read = () => new Variant(toVariant(device.read(model.name), { dataType, isArray: false }))
    const options = {
      componentOf: object,
      browseName: model.name,
      nodeId,
      dataType,
      ...(model.description === undefined ? {} : { description: model.description }),
      accessLevel: access,
      userAccessLevel: access,
      minimumSamplingInterval: FASTEST_SAMPLING_MS,
      ...(isRecorded ? {} : { value: { get: read, set: (value: Variant) => written(device, property, value) } }),
    }
    const bounds = boundsOf(property)
    const variable =
      bounds && model.unit !== undefined && hasAnalogItems(namespace)
        ? namespace.addAnalogDataItem({
            ...options,
            engineeringUnitsRange: bounds,
            engineeringUnits: {
              displayName: { text: model.unit },
              description: { text: model.unit },
              namespaceUri: 'urn:skerry',
              unitId: -1,
            },
          })
        : namespace.addVariable(options)
    if (!isRecorded) return
    variable.setValueFromSource(read())
    space.installHistoricalDataNode(variable, { maxOnlineValues: RECORDED })
    this.#recordings.push(() => variable.setValueFromSource(read(), StatusCodes.Good, new Date(this.#clock.now())))
  }

  #record(): void {
    if (this.#recordings.length === 0) return
    this.#timer = this.#clock.after(RECORDING, () => {
      for (const record of this.#recordings) record()
      this.#record()
    })
  }
}

/** Every namespace has them, but its type does not say so. */
function hasAnalogItems(namespace: Namespace): namespace is Namespace & AnalogItems {
  return 'addAnalogDataItem' in namespace
}

function written(device: SimulatedDevice, { model }: SimulatedProperty, variant: Variant): StatusCode {
  try {
    const content: unknown = variant.value
    device.write(model.name, plainValue(content))
    return StatusCodes.Good
  } catch (error) {
    if (!(error instanceof WriteRefusal)) throw error
    return REFUSALS[error.reason]
  }
}

const REFUSALS = {
  unknown: StatusCodes.BadNodeIdUnknown,
  'read-only': StatusCodes.BadNotWritable,
  type: StatusCodes.BadTypeMismatch,
  bounds: StatusCodes.BadOutOfRange,
} as const

function addMethod(
  space: AddressSpace,
  object: DeviceObject,
  device: SimulatedDevice,
  property: SimulatedProperty,
): void {
  const { namespace, nodeId } = namespaceOf(space, addressOf(property, 'method'))
  const target = device.properties.find(({ model }) => model.name === property.visitor['sets'])
  const dataType = target && dataTypeOf(target)
  const method = namespace.addMethod(object, {
    browseName: property.model.name,
    nodeId,
    ...(property.model.description === undefined ? {} : { description: property.model.description }),
    inputArguments: target && dataType !== undefined ? [{ name: target.model.name, dataType }] : [],
    outputArguments: target && dataType !== undefined ? [{ name: 'before', dataType }] : [],
  })
  method.bindMethod((inputs, _context, callback) => {
    if (!target || dataType === undefined) return callback(null, { statusCode: StatusCodes.Good, outputArguments: [] })
    const before = toVariant(device.read(target.model.name), { dataType, isArray: false })
    const content: unknown = inputs[0]?.value
    device.set(target.model.name, plainValue(content))
    callback(null, { statusCode: StatusCodes.Good, outputArguments: [before] })
  })
}

/** Namespaces are made as they are named; `ns=3` means the third after those of OPC UA. */
function namespaceOf(space: AddressSpace, text: string | undefined) {
  const address = text === undefined ? undefined : parseNodeId(text)
  if (!address) return { namespace: space.getOwnNamespace(), nodeId: text ?? '' }
  if (typeof address.namespace === 'string') {
    return { namespace: space.registerNamespace(address.namespace), nodeId: address.identifier }
  }
  while (space.getNamespaceArray().length <= address.namespace) {
    space.registerNamespace(`urn:skerry:simulator:${space.getNamespaceArray().length}`)
  }
  return { namespace: space.getNamespace(address.namespace), nodeId: address.identifier }
}

/** As the mapper reads the visitor, whatever its spelling. */
function addressOf({ visitor }: SimulatedProperty, key: 'nodeId' | 'method'): string | undefined {
  const parsed = visitorConfig.parse(visitor)
  return parsed.ok ? parsed.value[key] : undefined
}

/** `dataType` of the visitor, by its OPC UA name; else what the type of the property fits into. */
function dataTypeOf({ model, visitor }: SimulatedProperty): DataType {
  const named = visitor['dataType']
  const known = typeof named === 'string' ? Reflect.get(DataType, named) : undefined
  if (typeof known === 'number') return known
  switch (model.type) {
    case 'INT':
      return fitsInt32(model.minimum) && fitsInt32(model.maximum) ? DataType.Int32 : DataType.Int64
    case 'FLOAT':
      return DataType.Float
    case 'DOUBLE':
      return DataType.Double
    case 'BOOLEAN':
      return DataType.Boolean
    case 'BYTES':
    case 'STREAM':
      return DataType.ByteString
    default:
      return DataType.String
  }
}

function fitsInt32(bound: string | undefined): boolean {
  return bound !== undefined && bound !== '' && Math.abs(Number(bound)) < 2 ** 31
}

function boundsOf({ model }: SimulatedProperty): { readonly low: number; readonly high: number } | undefined {
  const { minimum, maximum, type } = model
  if (minimum === undefined || maximum === undefined || minimum === '' || maximum === '') return undefined
  return type === 'INT' || type === 'FLOAT' || type === 'DOUBLE'
    ? { low: Number(minimum), high: Number(maximum) }
    : undefined
}

function plainValue(content: unknown): PropertyValue {
  if (Array.isArray(content)) {
    const [high, low]: readonly unknown[] = content
    return BigInt.asIntN(64, (BigInt(Number(high)) << 32n) | BigInt(Number(low)))
  }
  if (content instanceof Uint8Array) return new Uint8Array(content)
  return typeof content === 'number' || typeof content === 'boolean' ? content : String(content)
}
