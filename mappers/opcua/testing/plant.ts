import { DataType, StatusCodes, Variant, VariantArrayType } from 'node-opcua-client'
import { systemClock, systemRandom } from '../../../platform/time/index.ts'
import type { PropertyValue } from '../../../schemas/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { type CertificateFiles, certificateIn } from '../../simulators/opcua/certificate.ts'
import { FaultProxy } from '../../simulators/opcua/fault-proxy.ts'
import {
  type AddressSpace,
  type OpcuaServer,
  type OpcuaServerOptions,
  startOpcuaServer,
} from '../../simulators/opcua/opcua-server.ts'
import type { ConformanceServer } from '../../testing/index.ts'

export const PLANT = 'urn:test:plant'
export const HOST = '127.0.0.1'
const APPLICATION = 'urn:test:server'

/** A server with one value of every kind; links to it go through a proxy that can do harm. */
export class Plant {
  readonly inner: OpcuaServer
  readonly certificate: CertificateFiles

  constructor(inner: OpcuaServer, certificate: CertificateFiles) {
    this.inner = inner
    this.certificate = certificate
  }

  /** Another way in, with faults of its own. */
  async door(): Promise<PlantDoor> {
    const proxy = new FaultProxy({ host: HOST, port: 0, clock: systemClock, random: systemRandom })
    await proxy.start()
    proxy.leadTo(HOST, this.inner.port)
    return new PlantDoor(this, proxy)
  }

  set(name: string, dataType: DataType, value: unknown, status = StatusCodes.Good, time = new Date()): void {
    const node = this.inner.space.findNode(`ns=${this.namespace};s=${name}`)
    if (!node || !('setValueFromSource' in node) || typeof node.setValueFromSource !== 'function') throw new Error(name)
    node.setValueFromSource(new Variant({ dataType, value }), status, time)
  }

  get namespace(): number {
    return this.inner.space.getNamespaceIndex(PLANT)
  }

  close(): PromiseLike<void> {
    return this.inner[Symbol.asyncDispose]()
  }
}

export class PlantDoor implements ConformanceServer {
  readonly plant: Plant
  readonly proxy: FaultProxy

  constructor(plant: Plant, proxy: FaultProxy) {
    this.plant = plant
    this.proxy = proxy
  }

  get url(): string {
    return `opc.tcp://${HOST}:${this.proxy.port}`
  }
  get connections(): number {
    return this.proxy.connections
  }
  get requests(): number {
    return this.proxy.requests
  }
  silence(): void {
    void this.proxy.fault({ kind: 'silence' })
  }
  garble(): void {
    void this.proxy.fault({ kind: 'garbage', share: 1 })
  }
  hold(): void {
    this.proxy.hold()
  }
  resume(): Promise<void> {
    return this.proxy.fault(undefined)
  }
  drop(): void {
    this.proxy.drop()
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.proxy[Symbol.asyncDispose]()
  }
}

let shared: Promise<CertificateFiles> | undefined

/** Made once in a process: a key takes long. Its folder goes with the process. */
export function plantCertificate(): Promise<CertificateFiles> {
  shared ??= makeShared()
  return shared
}

function makeShared(): Promise<CertificateFiles> {
  const folder = temporaryFolder('skerry-plant-')
  const notBefore = new Date(systemClock.now())
  return certificateIn(folder, { applicationUri: APPLICATION, name: 'plant', addresses: [HOST], notBefore })
}

export async function startPlant(options: Partial<OpcuaServerOptions> = {}): Promise<Plant> {
  const certificate = options.certificate ?? (await plantCertificate())
  const ground = { host: HOST, name: 'plant', applicationUri: APPLICATION, certificate, build }
  return new Plant(await startOpcuaServer({ ...ground, ...options }), certificate)
}

const scalar = (dataType: DataType, value: unknown) => ({ dataType, arrayType: VariantArrayType.Scalar, value })
const list = (dataType: DataType, value: readonly unknown[]) => ({ dataType, arrayType: VariantArrayType.Array, value })

/** As variants, by the last part of their node id. */
const VALUES: Readonly<
  Record<string, { readonly dataType: DataType; readonly value: unknown; readonly arrayType?: VariantArrayType }>
> = {
  Byte: scalar(DataType.Byte, 200),
  Int16: scalar(DataType.Int16, -1500),
  UInt32: scalar(DataType.UInt32, 4_000_000_000),
  Int64: scalar(DataType.Int64, [0x8000_0000, 1]),
  UInt64: scalar(DataType.UInt64, [0x7fff_ffff, 0xffff_ffff]),
  Float: scalar(DataType.Float, 24.5),
  Double: scalar(DataType.Double, 0.1),
  Boolean: scalar(DataType.Boolean, true),
  String: scalar(DataType.String, 'Kessel 1 "heiß"'),
  DateTime: scalar(DataType.DateTime, new Date('2030-01-31T08:00:00.250Z')),
  ByteString: scalar(DataType.ByteString, Buffer.from([1, 2, 255])),
  LocalizedText: scalar(DataType.LocalizedText, { text: 'läuft', locale: 'de' }),
  Guid: scalar(DataType.Guid, '72962B91-FA75-4AE6-8D28-B404DC7DAF63'),
  Int32s: list(DataType.Int32, [1, -2, 3]),
  Int64s: list(DataType.Int64, [
    [0, 7],
    [0xffff_ffff, 0xffff_ffff],
  ]),
  Bytes: list(DataType.Byte, [9, 8, 7]),
  Target: scalar(DataType.Int16, 0),
  Big: scalar(DataType.UInt64, [0, 0]),
  Level: scalar(DataType.Double, 1),
}

function build(space: AddressSpace): void {
  const namespace = space.registerNamespace(PLANT)
  for (const [index, name] of ['One', 'Two'].entries()) {
    const device = namespace.addObject({ browseName: name, nodeId: `s=${name}`, organizedBy: space.rootFolder.objects })
    namespace.addVariable({
      componentOf: device,
      browseName: 'Count',
      nodeId: `s=${name}.Count`,
      dataType: DataType.Int32,
      value: scalar(DataType.Int32, 1500 + index),
    })
  }
  const kinds = namespace.addFolder(space.rootFolder.objects, { browseName: 'Kinds', nodeId: 's=Kinds' })
  for (const [name, value] of Object.entries(VALUES)) {
    namespace.addVariable({
      componentOf: kinds,
      browseName: name,
      nodeId: `s=${name}`,
      dataType: value.dataType,
      valueRank: value.arrayType === VariantArrayType.Scalar ? -1 : 1,
      value,
      minimumSamplingInterval: 10,
    })
  }
  const extra = { componentOf: kinds, dataType: DataType.Int32 }
  namespace.addVariable({
    ...extra,
    browseName: 'ReadOnly',
    nodeId: 's=ReadOnly',
    accessLevel: 'CurrentRead',
    userAccessLevel: 'CurrentRead',
    value: scalar(DataType.Int32, 3),
  })
  for (const [name, status] of [
    ['Broken', StatusCodes.BadSensorFailure],
    ['Doubtful', StatusCodes.UncertainLastUsableValue],
    ['Forced', StatusCodes.GoodLocalOverride],
  ] as const) {
    const node = namespace.addVariable({
      ...extra,
      browseName: name,
      nodeId: `s=${name}`,
      value: scalar(DataType.Int32, 5),
    })
    node.setValueFromSource(scalar(DataType.Int32, 5), status, new Date('2030-01-31T08:00:00Z'))
  }
  namespace.addVariable({
    ...extra,
    dataType: 'Number',
    browseName: 'Any',
    nodeId: 's=Any',
    value: scalar(DataType.UInt16, 7),
  })
  const many = namespace.addFolder(space.rootFolder.objects, { browseName: 'Many', nodeId: 's=Many' })
  for (let at = 0; at < 1000; at++) {
    namespace.addVariable({
      componentOf: many,
      browseName: `M${at}`,
      nodeId: `s=M${at}`,
      dataType: DataType.Int32,
      value: scalar(DataType.Int32, at),
    })
  }
  addMethod(namespace, kinds)
  const recorded = namespace.addVariable({
    componentOf: kinds,
    browseName: 'Recorded',
    nodeId: 's=Recorded',
    dataType: DataType.Double,
    accessLevel: 'CurrentRead | HistoryRead',
    userAccessLevel: 'CurrentRead | HistoryRead',
  })
  space.installHistoricalDataNode(recorded, { maxOnlineValues: 5000 })
}

type Namespace = ReturnType<AddressSpace['registerNamespace']>

function addMethod(namespace: Namespace, owner: Parameters<Namespace['addMethod']>[0]): void {
  const add = namespace.addMethod(owner, {
    browseName: 'Add',
    nodeId: 's=Add',
    inputArguments: [
      { name: 'a', dataType: DataType.Int32 },
      { name: 'b', dataType: DataType.Int32 },
    ],
    outputArguments: [{ name: 'sum', dataType: DataType.Int64 }],
  })
  add.bindMethod((inputs, _context, callback) => {
    const [a, b] = inputs.map(({ value }) => Number(value))
    if (b === 13) return callback(null, { statusCode: StatusCodes.BadOutOfRange })
    const sum = BigInt.asUintN(64, BigInt((a ?? 0) + (b ?? 0)))
    callback(null, {
      statusCode: StatusCodes.Good,
      outputArguments: [
        {
          dataType: DataType.Int64,
          arrayType: VariantArrayType.Scalar,
          value: [Number(sum >> 32n), Number(sum & 0xffff_ffffn)],
        },
      ],
    })
  })
}

export const nodeOf = (name: string): string => `nsu=${PLANT};s=${name}`
export type Expected = readonly [string, PropertyValue]
