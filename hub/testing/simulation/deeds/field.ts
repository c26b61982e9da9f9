import { deviceTopic } from '../../../../schemas/index.ts'
import type { Machine } from '../parts/machine.ts'
import type { World } from '../world.ts'
import type { Deeds, Dice } from './deed.ts'
import { someValue } from './edits.ts'

/** What happens at the edges: clients of their brokers, and the things themselves. */
export const FIELD: Deeds = {
  'wish at the edge': {
    weight: 10,
    async act(world, dice) {
      const found = someTwin(world, dice)
      if (found) await wish(world, found.machine, found.id, dice.pick(['speed', 'level']), someValue(dice))
    },
  },
  'send user messages': {
    weight: 8,
    async act(world, dice) {
      const machine = dice.pick(world.machines)
      if (!machine) return
      const topic = dice.pick(['SYS/dis/upload_records', '$hw/events/upload/line', 'hall/user/door'])
      const sends = Array.from({ length: dice.between(1, 8) }, () => sendMessage(world, machine, topic))
      await Promise.all(sends)
    },
  },
  'thing changes': {
    weight: 8,
    act(world, dice) {
      const found = someTwin(world, dice)
      if (!found) return
      const { machine, id } = found
      const property = dice.pick(['speed', 'level'])
      const value = someValue(dice)
      world.trace.note(machine.node, `${id} moves its ${property} to ${value} by itself`)
      machine.thing(id).values.set(property, value)
      machine.edge?.mapper?.look(id)
    },
  },
  'thing goes or comes': {
    weight: 4,
    act(world, dice) {
      const found = someTwin(world, dice)
      if (!found) return
      const thing = found.machine.thing(found.id)
      thing.isOnline = !thing.isOnline
      world.trace.note(found.machine.node, `${found.id} is ${thing.isOnline ? 'there' : 'gone'}`)
      found.machine.edge?.mapper?.look(found.id)
    },
  },
  'thing refuses': {
    weight: 2,
    act(world, dice) {
      const found = someTwin(world, dice)
      if (!found) return
      found.machine.thing(found.id).refuses.add(dice.pick(['speed', 'level']))
    },
  },
}

/** As a client with QoS 1 does it: what it was told counts only if its connection lived to hear it. */
export async function wish(world: World, machine: Machine, id: string, property: string, value: string): Promise<void> {
  const { edge } = machine
  if (!edge?.isServing) return
  const eventId = `wish-${world.trace.count}`
  world.wishes.add(`${id}/${property}/${value}`)
  world.trace.note(machine.node, `a client wishes ${property}=${value} of ${id}`)
  const asked = world.durable.asked(machine, id, property, value)
  const payload = JSON.stringify({ event_id: eventId, twin: { [property]: { expected: { value } } } })
  const isReceived = await edge.broker.send(deviceTopic(id, 'twin/update'), payload)
  if (edge.clock.isDead) return
  const result = edge.broker.resultOf(eventId)
  world.durable.answered(asked, isReceived && result !== undefined && !('code' in result))
}

async function sendMessage(world: World, machine: Machine, topic: string): Promise<void> {
  const { edge } = machine
  if (!edge?.isServing) return
  const payload = world.messages.next(machine)
  try {
    const isReceived = await edge.broker.send(topic, payload)
    if (isReceived && !edge.clock.isDead) world.messages.acknowledged(machine, payload)
  } catch {
    // No receipt: the client would send it again.
  }
}

function someTwin(world: World, dice: Dice): { readonly machine: Machine; readonly id: string } | undefined {
  const machine = dice.pick(world.machines)
  const id = dice.pick(machine?.disk.rows('twin.all') ?? [])?.['id']
  return machine && typeof id === 'string' ? { machine, id } : undefined
}
