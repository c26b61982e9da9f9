import type { Bus } from '../../../platform/bus/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import {
  type AssignedDevice,
  assignedDevices,
  assignedPods,
  assignedRules,
  type Device,
  type DeviceModel,
  listed,
  objectChanges,
  splitDeviceId,
} from '../../../schemas/index.ts'
import type { MetaRow } from './meta-store.ts'
import { parseAssigned, parseDeviceModel, parsePod, parseRule } from './parse-device.ts'

export interface MetaViewPorts {
  readonly bus: Bus
  readonly nodeName: string
  readonly log: Logger
}

/** What of the metadata the others on the bus see: devices with their models as one, pods, and that something changed. */
export class MetaView {
  readonly #ports: MetaViewPorts
  readonly #devices = new Map<string, Omit<AssignedDevice, 'model'>>()
  readonly #models = new Map<string, DeviceModel>()

  constructor(ports: MetaViewPorts) {
    this.#ports = ports
  }

  /** Everything, at a start. What is on the bus beyond it is from before, and goes. */
  list(rows: Iterable<MetaRow>): void {
    const { bus } = this.#ports
    this.#devices.clear()
    this.#models.clear()
    const all = [...rows]
    const isModel = ({ type }: MetaRow) => type === 'devicemodel'
    // Models first, so that each device is shown once and whole.
    for (const row of all.filter(isModel)) this.#show(row.key, row)
    for (const row of all) if (!isModel(row)) this.#show(row.key, row)
    for (const id of [...bus.list(assignedDevices).keys()]) {
      if (!this.#devices.has(deviceKey(id))) bus.remove(assignedDevices, id)
    }
    const pods = new Set(all.filter(({ type }) => type === 'pod').map(({ key }) => nameIn(key)))
    for (const id of [...bus.list(assignedPods).keys()]) if (!pods.has(id)) bus.remove(assignedPods, id)
    const rules = new Set(all.filter(({ type }) => type === 'rule').map(({ key }) => nameIn(key)))
    for (const id of [...bus.list(assignedRules).keys()]) if (!rules.has(id)) bus.remove(assignedRules, id)
    for (const kind of ['devices', 'pods', 'rules']) bus.set(listed, kind, true)
  }

  /** One object changed, or went. */
  changed(key: string, row: MetaRow | undefined): void {
    this.#show(key, row)
    this.#ports.bus.publish(objectChanges, { resource: key, change: row ? 'stored' : 'removed' })
  }

  #show(key: string, row: MetaRow | undefined): void {
    const [, type] = key.split('/')
    if (type === 'device') this.#showDevice(key, row)
    else if (type === 'devicemodel') this.#showModel(key, row)
    else if (type === 'pod') this.#showPod(key, row)
    else if (type === 'rule') this.#showRule(key, row)
  }

  #showDevice(key: string, row: MetaRow | undefined): void {
    const device = row && parseAssigned(row.value)
    if (row && !device) {
      this.#ports.log.error('A device is not of a form that can be served', { device: nameIn(key) })
    }
    if (device) this.#devices.set(key, device)
    else this.#devices.delete(key)
    this.#assign(key, device)
  }

  #showModel(key: string, row: MetaRow | undefined): void {
    const model = row && parseDeviceModel(row.value)
    if (model) this.#models.set(key, model)
    else this.#models.delete(key)
    for (const [each, assigned] of this.#devices) if (refersTo(assigned.device, key)) this.#assign(each, assigned)
  }

  #assign(key: string, assigned: Omit<AssignedDevice, 'model'> | undefined): void {
    const { bus, nodeName } = this.#ports
    const id = nameIn(key)
    const device = assigned?.device
    if (!device || device.spec.nodeName !== nodeName) {
      bus.remove(assignedDevices, id)
      return
    }
    const model = this.#models.get(modelKeyOf(device))
    bus.set(assignedDevices, id, model ? { ...assigned, model } : assigned)
  }

  #showPod(key: string, row: MetaRow | undefined): void {
    const { bus, nodeName, log } = this.#ports
    const id = nameIn(key)
    const pod = row && parsePod(row.value)
    if (row && !pod) log.error('A pod is not of a form that can be run', { pod: id })
    // KubeEdge acknowledges pods of other nodes and leaves them alone.
    if (row && pod?.nodeName === nodeName) bus.set(assignedPods, id, { uid: row.uid, pod: pod.object })
    else bus.remove(assignedPods, id)
  }

  #showRule(key: string, row: MetaRow | undefined): void {
    const { bus, log } = this.#ports
    const id = nameIn(key)
    const rule = row && parseRule(row.value)
    if (row && !rule) log.error('A rule is not of a form that can be served', { rule: id })
    if (rule) bus.set(assignedRules, id, rule)
    else bus.remove(assignedRules, id)
  }
}

/** `<namespace>/device/<name>` to `<namespace>/<name>`. */
function nameIn(key: string): string {
  const [namespace = '', , ...name] = key.split('/')
  return `${namespace}/${name.join('/')}`
}

function deviceKey(id: string): string {
  const { namespace, name } = splitDeviceId(id)
  return `${namespace}/device/${name}`
}

function refersTo(device: Device, modelKey: string): boolean {
  return modelKey === modelKeyOf(device)
}

function modelKeyOf({ metadata, spec }: Device): string {
  return `${metadata.namespace ?? 'default'}/devicemodel/${spec.deviceModelRef?.name ?? ''}`
}
