import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { kubernetesStore } from '../../../hub/apiserver/index.ts'
import { silentLogger as log } from '../../../platform/log/index.ts'
import { openStore } from '../../../platform/store/index.ts'
import { systemClock as clock } from '../../../platform/time/index.ts'
import { deviceAt } from '../../hub/manifests.ts'

/** Many devices in one namespace, as many again as the rest in one that is to go, and some in each of many others. */
export const FLEET = 'fleet'
export const DOOMED = 'doomed'
export const PLANTS = 100
export const NODES = 100
export const PODS = 3_000
const MADE = '2026-01-02T03:04:05Z'
const ROWS_A_COMMIT = 500

export const DEVICES = '/apis/devices.kubeedge.io/v1beta1/devices'
export const devicesIn = (namespace: string) => `/apis/devices.kubeedge.io/v1beta1/namespaces/${namespace}/devices`

export interface FleetSize {
  readonly devices: number
  readonly doomed: number
}

/** Writes the rows of a fleet into the database of an API that does not run. */
export async function seedFleet(folder: string, { devices, doomed }: FleetSize): Promise<void> {
  const store = await openStore(join(folder, 'kubernetes.db'), [kubernetesStore], { clock, log })
  const [head] = await store.read({ statement: 'kubernetes.head', parameters: [] })
  let version = Number(head?.['version'] ?? 0) + 100_000
  const put = (resource: string, object: Stored) => {
    const { namespace = '', name } = object.metadata
    const metadata = {
      ...object.metadata,
      uid: randomUUID(),
      resourceVersion: String(++version),
      creationTimestamp: MADE,
    }
    const body = JSON.stringify({ ...object, metadata })
    return { statement: 'kubernetes.put', parameters: [`${resource} ${namespace}/${name}`, resource, version, body] }
  }
  const rows: ReturnType<typeof put>[] = []
  const flush = async () => await store.write(rows.splice(0))
  const plants = Array.from({ length: PLANTS }, (_, index) => `plant-${index}`)
  for (const name of [FLEET, DOOMED, ...plants]) rows.push(put('/namespaces', namespaceNamed(name)))
  for (let index = 0; index < devices; index++) {
    rows.push(put('devices.kubeedge.io/devices', deviceIn(namespaceOf(index, devices, doomed), index)))
    if (rows.length >= ROWS_A_COMMIT) await flush()
  }
  for (let index = 0; index < PODS; index++) rows.push(put('/pods', podOf(index)))
  await flush()
  await store[Symbol.asyncDispose]()
}

interface Stored {
  readonly metadata: { readonly name: string; readonly namespace?: string }
}

function namespaceOf(index: number, devices: number, doomed: number): string {
  if (index < doomed) return DOOMED
  return index < doomed + devices / 5 ? `plant-${index % PLANTS}` : FLEET
}

function namespaceNamed(name: string) {
  const labels = { 'kubernetes.io/metadata.name': name }
  const spec = { finalizers: ['kubernetes'] }
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels }, spec, status: { phase: 'Active' } }
}

/** About 2 kB, with what an edge has reported and who wrote it. */
function deviceIn(namespace: string, index: number) {
  const registers = ['first', 'second', 'third'].map((name) => ({ name, cycleMs: 1000 }))
  const name = `device-${index}`
  const device = deviceAt({
    ...{ namespace, name, node: nodeOf(index), port: 5020, unitId: 1 + (index % 200) },
    registers,
  })
  const time = { timestamp: '1767323045000', type: 'INT' }
  const twins = registers.map(({ name: propertyName }) => ({
    propertyName,
    reported: { value: String(index), metadata: time },
  }))
  const fields = { 'f:spec': { '.': {}, 'f:nodeName': {}, 'f:properties': {}, 'f:protocol': {}, 'f:stateReport': {} } }
  const entry = { apiVersion: device.apiVersion, fieldsType: 'FieldsV1', time: MADE }
  return {
    ...device,
    metadata: {
      ...{ name, namespace, generation: 1, labels: { line: `line-${index % 10}` } },
      managedFields: [
        { ...entry, manager: 'kubectl-create', operation: 'Update', fieldsV1: fields },
        { ...entry, manager: 'skerry', operation: 'Update', subresource: 'status', fieldsV1: { 'f:status': {} } },
      ],
    },
    status: { twins, state: 'online', lastOnlineTime: MADE },
  }
}

function podOf(index: number) {
  const name = `pod-${index}`
  const containers = [{ name: 'main', image: 'registry.local/app:1', imagePullPolicy: 'IfNotPresent', resources: {} }]
  const spec = { nodeName: nodeOf(index), containers, restartPolicy: 'Always', terminationGracePeriodSeconds: 30 }
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: MADE }] }
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: `plant-${index % PLANTS}` }, spec, status }
}

export function nodeOf(index: number): string {
  return `edge-${index % NODES}`
}
