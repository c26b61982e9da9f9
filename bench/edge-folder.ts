import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { metaStoreDomain } from '../hub/edge/index.ts'
import { identityFiles } from '../hub/edge/join/index.ts'
import { putCall } from '../hub/edge/meta/meta-store.ts'
import { generateKeyPair, pemOf } from '../platform/certificates/index.ts'
import { daysFromNow, testAuthority } from '../platform/certificates/testing/index.ts'
import { silentLogger as log } from '../platform/log/index.ts'
import { openStore } from '../platform/store/index.ts'
import { systemClock as clock } from '../platform/time/index.ts'
import { type Device, type DeviceModel, NODE_ORGANIZATION, nodeCommonName } from '../schemas/index.ts'
import { adopt } from '../twin/model/adopt.ts'
import { applyReport } from '../twin/model/report.ts'
import { TWIN_LIMITS } from '../twin/model/update.ts'
import { putTwin, twinStoreDomain } from '../twin/service/twin-store.ts'

export const NODE = 'edge-1'
export const API = 'devices.kubeedge.io/v1beta1'

/** What is on the disk of an edge. */
export interface EdgeContent {
  readonly model: DeviceModel
  readonly devices: readonly Device[]
  /** Each device was served before: its twin has a value of each property. */
  readonly hasTwins: boolean
  /** Keys of the configuration beside the usual ones. */
  readonly config?: object
}

/** A data directory of an edge that has joined a cloud which is away, with so many devices and their twins on disk. */
export function makeEdgeFolder(folder: string, devices: number, properties: number): Promise<void> {
  const all = Array.from({ length: devices }, (_, index) => deviceOf(index, properties))
  return writeEdgeFolder(folder, { model: modelOf(properties), devices: all, hasTwins: true })
}

export async function writeEdgeFolder(folder: string, content: EdgeContent): Promise<void> {
  const { model, devices, hasTwins } = content
  await writeIdentity(folder)
  const nowhere = '127.0.0.1:1'
  const config = {
    node: { name: NODE },
    cloud: { server: nowhere, certificates: nowhere },
    mqtt: { port: 0 },
    metrics: { port: 0 },
    store: { backup: { every: '0' } },
    ...content.config,
  }
  await writeFile(join(folder, 'config.yaml'), JSON.stringify(config))
  const store = await openStore(join(folder, 'edge.db'), [metaStoreDomain, twinStoreDomain], { clock, log })
  await store.write([rowOf('devicemodel', model)])
  for (let first = 0; first < devices.length; first += 500) {
    const some = devices.slice(first, first + 500)
    await store.write(some.map((device) => rowOf('device', device)))
    if (hasTwins) await store.write(some.map((device) => putTwin(twinOf(device, model))))
  }
  await store[Symbol.asyncDispose]()
}

async function writeIdentity(folder: string): Promise<void> {
  const authority = await testAuthority()
  const keys = await generateKeyPair()
  const certificate = await authority.issue({
    publicKey: keys.publicKeyDer,
    subject: { commonName: nodeCommonName(NODE), organizations: [NODE_ORGANIZATION] },
    usages: ['clientAuth'],
    notBefore: daysFromNow(0),
    notAfter: daysFromNow(1),
  })
  const files = identityFiles(folder)
  await mkdir(join(folder, 'pki'), { recursive: true, mode: 0o700 })
  await writeFile(files.ca, authority.certificatePem, { mode: 0o600 })
  await writeFile(files.certificate, pemOf(certificate, 'CERTIFICATE'), { mode: 0o600 })
  await writeFile(files.key, keys.privateKeyPem, { mode: 0o600 })
}

function rowOf(type: string, object: Device | DeviceModel) {
  const { namespace, name, uid = '' } = object.metadata
  return putCall({
    ...{ key: `${namespace}/${type}/${name}`, type, uid, resourceVersion: '1' },
    value: JSON.stringify(object),
  })
}

const nameOf = (index: number) => `property-${index}`

function modelOf(properties: number): DeviceModel {
  return {
    ...{ apiVersion: API, kind: 'DeviceModel', metadata: { namespace: 'default', name: 'bench', uid: 'model' } },
    spec: {
      protocol: 'bench',
      properties: Array.from({ length: properties }, (_, index) => ({
        ...{ name: nameOf(index), type: 'DOUBLE' as const, accessMode: 'ReadWrite' as const },
      })),
    },
  }
}

/** Of a protocol that nobody speaks: twins alone are measured. */
function deviceOf(index: number, properties: number): Device {
  return {
    ...{ apiVersion: API, kind: 'Device' },
    metadata: { namespace: 'default', name: `device-${index}`, uid: `device-${index}`, generation: 1 },
    spec: {
      deviceModelRef: { name: 'bench' },
      nodeName: NODE,
      protocol: { protocolName: 'bench', configData: { host: '192.0.2.1', port: 502, unit: index % 247 } },
      properties: Array.from({ length: properties }, (_, each) => ({
        ...{ name: nameOf(each), collectCycle: 1000, reportToCloud: true },
        visitors: { protocolName: 'bench', configData: { register: 'HoldingRegister', offset: each, limit: 1 } },
      })),
    },
  }
}

function twinOf(device: Device, model: DeviceModel) {
  const now = clock.now()
  const twin = adopt(undefined, { device, model }, now)
  const readings = (device.spec.properties ?? []).map(({ name }, index) => ({
    ...{ property: name, value: `${index}.25`, sourceTime: now, quality: 'good' as const },
  }))
  return applyReport(twin, { id: twin.id, readings, writes: [] }, TWIN_LIMITS, now)
}
