import type { Device, DeviceModel, DeviceProperty } from '../../../../schemas/index.ts'
import { reasonOfError } from '../../../cloud/kubernetes/errors.ts'
import type { ResourceType } from '../../../cloud/kubernetes/kubernetes.ts'
import { DEVICE_MODELS, DEVICES } from '../../../cloud/kubernetes/resources.ts'
import type { World } from '../world.ts'
import type { Deeds, Dice } from './deed.ts'

const NAMES = ['pump-1', 'pump-2', 'valve', 'meter', 'fan'] as const
const MODELS = ['pump', 'drive'] as const
const PROPERTIES = ['speed', 'level'] as const
const DESIRED = 'skerry.dev/desired-policy'

/** What people do with kubectl. They have a way of their own to the API, and give up where it is down. */
export const EDITS: Deeds = {
  'create device': { weight: 5, act: (world, dice) => createDevice(world, dice, dice.pick(NAMES)) },
  'edit desired': {
    weight: 12,
    async act(world, dice) {
      const device = await someDevice(world, dice)
      const value = dice.chance(0.85) ? someValue(dice) : undefined
      if (device) await setDesired(world, device, dice.pick(PROPERTIES), value)
    },
  },
  'delete device': {
    weight: 4,
    async act(world, dice) {
      const device = await someDevice(world, dice)
      if (device) await remove(world, DEVICES, device)
    },
  },
  'make device again': {
    weight: 4,
    async act(world, dice) {
      const device = await someDevice(world, dice)
      if (!device) return
      await remove(world, DEVICES, device)
      await createDevice(world, dice, device.metadata.name)
    },
  },
  'move device': {
    weight: 3,
    async act(world, dice) {
      const device = await someDevice(world, dice)
      if (device) await patch(world, DEVICES, device, { spec: { nodeName: someNode(world, dice) } })
    },
  },
  'set policy': {
    weight: 2,
    async act(world, dice) {
      const device = await someDevice(world, dice)
      const policy = dice.pick(['CloudWins', 'EdgeWins', 'NewestIntent', null])
      if (device) await patch(world, DEVICES, device, { metadata: { annotations: { [DESIRED]: policy } } })
    },
  },
  'edit model': {
    weight: 2,
    async act(world, dice) {
      const model = dice.pick((await world.cluster.list(DEVICE_MODELS, {})).items)
      if (model) await patch(world, DEVICE_MODELS, model, { spec: { properties: properties(dice) } })
    },
  },
  'make model again': {
    weight: 1,
    async act(world, dice) {
      const model = dice.pick((await world.cluster.list(DEVICE_MODELS, {})).items)
      if (!model) return
      await remove(world, DEVICE_MODELS, model)
      await world.scheduler.sleep(dice.next() * 500)
      await createModel(world, dice, model.metadata.name)
    },
  },
}

/** What there is before the history begins. */
export async function begin(world: World, dice: Dice): Promise<void> {
  for (const name of MODELS) await createModel(world, dice, name)
  for (const name of NAMES.slice(0, 3)) await createDevice(world, dice, name)
}

export async function createModel(world: World, dice: Dice, name: string): Promise<void> {
  const object = {
    metadata: { name, namespace: 'default' },
    spec: { protocol: 'modbus', properties: properties(dice) },
  }
  await attempt(world, `creates model ${name}`, () => world.cluster.create(DEVICE_MODELS, 'default', object))
}

async function createDevice(world: World, dice: Dice, name: string): Promise<void> {
  const nodeName = someNode(world, dice)
  const spec = {
    deviceModelRef: { name: dice.pick(MODELS) },
    nodeName,
    protocol: { protocolName: 'modbus' },
    properties: PROPERTIES.map((property) =>
      dice.chance(0.5) ? { name: property, desired: { value: someValue(dice) } } : { name: property },
    ),
  }
  const object = { metadata: { name, namespace: 'default' }, spec }
  await attempt(world, `creates device ${name} on ${nodeName}`, () => world.cluster.create(DEVICES, 'default', object))
}

export async function setDesired(world: World, device: Device, name: string, value: string | undefined): Promise<void> {
  const all = (device.spec.properties ?? []).map((property): DeviceProperty => {
    if (property.name !== name) return property
    const { desired: _, ...rest } = property
    return value === undefined ? rest : { ...rest, desired: { value } }
  })
  await patch(world, DEVICES, device, { spec: { properties: all } }, `${name}=${value}`)
}

export async function someDevice(world: World, dice: Dice): Promise<Device | undefined> {
  return dice.pick((await world.cluster.list(DEVICES, {})).items)
}

export function someValue(dice: Dice): string {
  return String(dice.between(1, 9) * 10)
}

async function patch(world: World, type: ResourceType, object: Device | DeviceModel, body: object, what = '') {
  const { name, namespace = 'default' } = object.metadata
  await attempt(world, `edits ${type.kind} ${name} ${what || JSON.stringify(body)}`, () =>
    world.cluster.patch(type, { namespace, name }, body, { type: 'merge' }),
  )
}

async function remove(world: World, type: ResourceType, { metadata }: Device | DeviceModel): Promise<void> {
  const { name, namespace = 'default', uid = '' } = metadata
  await attempt(world, `deletes ${type.kind} ${name} ${uid}`, async () => {
    await world.cluster.delete(type, { namespace, name }, { uid })
    world.deleted.set(uid, type.plural)
  })
}

/** Somebody else may have been there first; a person shrugs. */
async function attempt(world: World, what: string, work: () => Promise<unknown>): Promise<void> {
  if (world.api.isDown) return
  try {
    await work()
    world.trace.note('kubectl', what)
  } catch (error) {
    if (reasonOfError(error) === undefined) throw error
  }
}

function someNode(world: World, dice: Dice): string {
  return dice.pick(world.machines)?.node ?? ''
}

function properties(dice: Dice): DeviceModel['spec']['properties'] {
  const maximum = String(dice.between(8, 12) * 10)
  return PROPERTIES.map((name) => ({ name, type: 'INT', accessMode: 'ReadWrite', minimum: '0', maximum }))
}
