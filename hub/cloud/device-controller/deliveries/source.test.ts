import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FakeClock } from '../../../../platform/time/testing/index.ts'
import { type Device, type DeviceModel, deviceIdOf, type Frame, type KubeObject } from '../../../../schemas/index.ts'
import { createFrameFactory } from '../../../link/index.ts'
import { isRecord } from '../../kubernetes/guards.ts'
import {
  DEVICE_MODELS,
  DEVICES,
  type Informer,
  type InformerHandler,
  joinKey,
  keyOf,
  type ResourceType,
} from '../../kubernetes/index.ts'
import { countingRandom, pumpDevice, pumpModel } from '../../testing/harness.ts'
import { createDeviceIndex } from '../device-index.ts'
import { IntentLedger } from '../intents/intent-ledger.ts'
import { createDeviceSource } from './source.ts'

/** Objects that the test puts and takes away. */
class Shelf<T extends KubeObject> implements Informer<T> {
  readonly type: ResourceType<T>
  readonly isSynced = true
  readonly #objects = new Map<string, T>()
  readonly #handlers = new Set<InformerHandler<T>>()

  constructor(type: ResourceType<T>) {
    this.type = type
  }

  async synced(): Promise<void> {}
  get = (at: { readonly namespace?: string; readonly name: string }) => this.#objects.get(joinKey(at))
  list = () => [...this.#objects.values()]

  onChange(handler: InformerHandler<T>): Disposable {
    this.#handlers.add(handler)
    for (const object of this.list()) handler(object, undefined)
    return { [Symbol.dispose]: () => void this.#handlers.delete(handler) }
  }

  absorb(object: T): void {
    const before = this.#objects.get(keyOf(object))
    this.#objects.set(keyOf(object), object)
    for (const handler of this.#handlers) handler(object, before)
  }

  remove(name: string): void {
    const before = this.#objects.get(`default/${name}`)
    if (!before) return
    this.#objects.delete(`default/${name}`)
    for (const handler of this.#handlers) handler(undefined, before)
  }
}

type Step =
  | {
      readonly do: 'device'
      readonly name: string
      readonly node: string
      readonly model: string
      readonly value: string
    }
  | { readonly do: 'status' | 'again' | 'remove'; readonly name: string }
  | { readonly do: 'model'; readonly model: string; readonly isThere: boolean }

const NODES = ['edge-1', 'edge-2']
const name = fc.constantFrom('a', 'b', 'c', 'd')
const model = fc.constantFrom('pump', 'valve')
const steps = fc.array(
  fc.oneof<fc.Arbitrary<Step>[]>(
    fc.record({
      do: fc.constant('device'),
      name,
      node: fc.constantFrom('', ...NODES),
      model,
      value: fc.constantFrom('1', '2'),
    }),
    fc.record({ do: fc.constantFrom('status', 'again', 'remove'), name }),
    fc.record({ do: fc.constant('model'), model, isThere: fc.boolean() }),
  ),
  { maxLength: 40 },
)

test('after any history a node should have what a source says that begins with the last state, and knows its members', () => {
  fc.assert(
    fc.property(steps, (history) => {
      const bench = start()
      for (const step of history) {
        bench.take(step)
        for (const node of NODES) {
          assert.deepEqual(bench.source.deliveriesFor(node), bench.fresh().deliveriesFor(node))
          assert.deepEqual(bench.membersTold(node), bench.membersOf(node))
        }
      }
    }),
    { numRuns: 60 },
  )
})

function start() {
  const clock = new FakeClock()
  const random = countingRandom()
  const devices = new Shelf<Device>(DEVICES)
  const models = new Shelf<DeviceModel>(DEVICE_MODELS)
  const index = createDeviceIndex(devices, models)
  const ledger = new IntentLedger(index, clock)
  devices.onChange((now, before) => ledger.note(now, before))
  const shared = { ledger, clock, random, frames: createFrameFactory({ clock, random }) }
  const source = createDeviceSource({ ...shared, index })
  const told = new Map(NODES.map((node) => [node, new Set<string>()]))
  let version = 0
  const stamped = <T extends KubeObject>(object: T, generation: number, uid: string): T => ({
    ...object,
    metadata: { ...object.metadata, namespace: 'default', uid, generation, resourceVersion: String(++version) },
  })
  const put = ({ name, node, model, value }: Extract<Step, { do: 'device' }>) => {
    const known = devices.get({ namespace: 'default', name })?.metadata
    const device = pumpDevice(name, value)
    const spec = { ...device.spec, nodeName: node, deviceModelRef: { name: model } }
    devices.absorb(stamped({ ...device, spec }, (known?.generation ?? 0) + 1, known?.uid ?? `uid-${++version}`))
  }
  const take = (step: Step) => {
    if (step.do === 'device') put(step)
    else if (step.do === 'model' && !step.isThere) models.remove(step.model)
    else if (step.do === 'model') {
      const known = models.get({ namespace: 'default', name: step.model })?.metadata
      const made = { ...pumpModel(), metadata: { name: step.model } }
      models.absorb(stamped(made, (known?.generation ?? 0) + 1, known?.uid ?? `uid-${++version}`))
    } else {
      const device = devices.get({ namespace: 'default', name: step.name })
      if (!device) return
      const { generation = 1, uid = '' } = device.metadata
      if (step.do !== 'status') devices.remove(step.name)
      if (step.do === 'again') devices.absorb(stamped(device, 1, `uid-${++version}`))
      if (step.do === 'status') devices.absorb(stamped(device, generation, uid))
    }
  }
  return {
    source,
    take,
    fresh: () => createDeviceSource({ ...shared, index: createDeviceIndex(devices, models) }),
    membersOf: (node: string) => index.onNode(node).map(({ metadata }) => deviceIdOf(metadata)),
    membersTold: (node: string) => {
      const members = told.get(node) ?? new Set()
      for (const { content } of source.noticesFor?.(node, 's') ?? []) applyMembership(members, content)
      return [...members].sort()
    },
  }
}

function applyMembership(members: Set<string>, content: Frame['content']): void {
  const idsIn = (key: string) => {
    const list: unknown = isRecord(content) ? content[key] : undefined
    return (Array.isArray(list) ? list : []).map((member: unknown) => String(Reflect.get(Object(member), 'id')))
  }
  for (const id of idsIn('removed_devices')) members.delete(id)
  for (const id of idsIn('added_devices')) members.add(id)
}
