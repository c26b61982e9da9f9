import { GOOD_API } from '../ground/api-client.ts'
import type { Machine } from '../parts/machine.ts'
import type { Replica } from '../parts/replica.ts'
import type { World } from '../world.ts'
import type { Deeds, Dice } from './deed.ts'

/** What goes wrong between the machines. */
export const NETWORK_FAULTS: Deeds = {
  partition: {
    weight: 4,
    act(world, dice) {
      const { node } = someMachine(world, dice)
      const wire = world.network.wire(node)
      const [isUpOpen, isDownOpen] = dice.pick([
        [false, false],
        [false, false],
        [false, true],
        [true, false],
      ] as const)
      const time = dice.chance(0.5) ? dice.next() * 20_000 : dice.next() * 90_000
      world.say(
        `${node} is cut off${isUpOpen ? ' downwards' : isDownOpen ? ' upwards' : ''} for ${Math.round(time)} ms`,
      )
      Object.assign(wire, { isUpOpen, isDownOpen })
      world.network.changed(node)
      world.later(time, () => openWire(world, node))
    },
  },
  cut: {
    weight: 4,
    act(world, dice) {
      const { node } = someMachine(world, dice)
      world.say(`the connection of ${node} is cut`)
      for (const connection of world.network.connectionsOf(node)) connection.cut()
    },
  },
  stall: {
    weight: 4,
    act(world, dice) {
      const { node } = someMachine(world, dice)
      const time = dice.next() * 60_000
      world.say(`the connection of ${node} stalls for ${Math.round(time)} ms`)
      for (const connection of world.network.connectionsOf(node)) connection.stall(time)
    },
  },
  hole: {
    weight: 2,
    act(world, dice) {
      const { node } = someMachine(world, dice)
      world.say(`the connection of ${node} is forgotten on its way`)
      for (const connection of world.network.connectionsOf(node)) connection.blackhole()
    },
  },
  'slow line': {
    weight: 2,
    act(world, dice) {
      const { node } = someMachine(world, dice)
      world.say(`the line of ${node} is slow`)
      Object.assign(world.network.wire(node), { delay: [100, 3000], gap: dice.pick([0, 50, 500]) })
      world.later(dice.next() * 40_000, () => Object.assign(world.network.wire(node), { delay: [1, 20], gap: 0 }))
    },
  },
}

/** What goes wrong with the machines at the edge. */
export const EDGE_FAULTS: Deeds = {
  'restart edge': {
    weight: 2,
    async act(world, dice) {
      const machine = someMachine(world, dice)
      await world.stopEdge(machine)
      startLater(world, dice, machine)
    },
  },
  'kill edge': {
    weight: 3,
    act(world, dice) {
      const machine = someMachine(world, dice)
      world.killEdge(machine, dice.chance(0.5))
      startLater(world, dice, machine)
    },
  },
  'disk full': {
    weight: 2,
    act(world, dice) {
      const { disk, node } = someMachine(world, dice)
      world.say(`the disk of ${node} is full`)
      disk.isFull = true
      world.later(dice.next() * 20_000, () => {
        disk.isFull = false
      })
    },
  },
  'slow disk': {
    weight: 2,
    act(world, dice) {
      const { disk, node } = someMachine(world, dice)
      world.say(`the disk of ${node} is slow`)
      disk.slowness = 800
      world.later(dice.next() * 30_000, () => {
        disk.slowness = 5
      })
    },
  },
  'back up edge': {
    weight: 2,
    act(world, dice) {
      const machine = someMachine(world, dice)
      machine.backup = machine.disk.snapshot()
      world.say(`${machine.node} is backed up`)
    },
  },
  'restore edge': {
    weight: 1,
    act(world, dice) {
      const machine = someMachine(world, dice)
      if (!machine.backup) return
      world.killEdge(machine, dice.chance(0.5))
      world.setBack(machine, machine.backup)
      startLater(world, dice, machine)
    },
  },
  'wipe edge': {
    weight: 1,
    act(world, dice) {
      const machine = someMachine(world, dice)
      world.killEdge(machine, dice.chance(0.5))
      world.setBack(machine, undefined)
      startLater(world, dice, machine)
    },
  },
  'edge clock jumps': {
    weight: 2,
    act(world, dice) {
      const machine = someMachine(world, dice)
      machine.wall.offset += dice.between(-60, 60) * 1000
      world.say(`the clock of ${machine.node} is set to ${machine.wall.offset} ms`)
    },
  },
}

/** What goes wrong with the cloud half and its API. */
export const CLOUD_FAULTS: Deeds = {
  'restart cloud': {
    weight: 2,
    async act(world, dice) {
      const replica = someReplica(world, dice)
      await world.stopCloud(replica)
      world.scheduler.after(dice.next() * 15_000, () => world.startCloud(replica))
    },
  },
  'kill cloud': {
    weight: 3,
    act(world, dice) {
      const replica = someReplica(world, dice)
      world.killCloud(replica)
      world.scheduler.after(dice.next() * 15_000, () => world.startCloud(replica))
    },
  },
  'slow API': {
    weight: 2,
    act: (world, dice) =>
      trouble(world, dice, 'is slow', {
        delay: dice.pick([
          [100, 2000],
          [1000, 40_000],
        ] as const),
      }),
  },
  'failing API': {
    weight: 3,
    act: (world, dice) =>
      trouble(world, dice, 'fails', {
        ...{ failing: dice.next() * 0.6, lostAnswers: dice.next() * 0.3, isThrottling: dice.chance(0.4) },
      }),
  },
  'API down': { weight: 1, act: (world, dice) => trouble(world, dice, 'is down', { isDown: true }) },
  'watches held': { weight: 2, act: (world, dice) => trouble(world, dice, 'tells no news', { isWatchHeld: true }) },
  'watches dropped': {
    weight: 2,
    act(world) {
      world.say('all watches end')
      world.cluster.dropWatches()
    },
  },
  'history compacted': {
    weight: 1,
    act(world) {
      world.say('the API forgets its history')
      world.cluster.compact()
    },
  },
  'cloud clock jumps': {
    weight: 1,
    act(world, dice) {
      const { name, wall } = someReplica(world, dice)
      wall.offset += dice.between(-60, 60) * 1000
      world.say(`the clock of ${name} is set to ${wall.offset} ms`)
    },
  },
  // In histories of their own: see api-backup.test.ts.
  'back up API': {
    weight: 0,
    act(world) {
      world.apiBackup = world.cluster.snapshot()
      world.say('the API is backed up')
    },
  },
  'restore API': {
    weight: 0,
    async act(world, dice) {
      await Promise.all(world.replicas.map((replica) => world.stopCloud(replica)))
      world.setApiBack()
      world.scheduler.after(dice.next() * 15_000, () => startAll(world))
    },
  },
  'handler fails': {
    weight: 1,
    act(world, dice) {
      world.isHandlerFailing = true
      world.later(dice.next() * 20_000, () => {
        world.isHandlerFailing = false
      })
    },
  },
}

/** Everything works again. */
export function heal(world: World): void {
  world.say('everything works again')
  world.isFaulty = false
  world.isHandlerFailing = false
  Object.assign(world.api, GOOD_API)
  for (const replica of world.replicas) replica.trouble = undefined
  startAll(world)
  for (const machine of world.machines) {
    Object.assign(world.network.wire(machine.node), { delay: [1, 20], gap: 0 })
    openWire(world, machine.node)
    // What a dead connection still holds back would last beyond the faults.
    for (const connection of world.network.connectionsOf(machine.node)) if (connection.isHeld) connection.cut()
    machine.disk.isFull = false
    machine.disk.slowness = 5
    for (const thing of machine.things.values()) {
      thing.isOnline = true
      thing.refuses.clear()
    }
    world.startEdge(machine)
    machine.edge?.mapper?.lookAtAll()
  }
}

function trouble(world: World, dice: Dice, what: string, conditions: Partial<World['api']>): void {
  const time = dice.next() * 40_000
  const one = dice.chance(0.5) && world.replicas.length > 1 ? dice.pick(world.replicas) : undefined
  world.say(`the API ${what}${one ? ` for ${one.name}` : ''}`)
  if (one) one.trouble = { ...world.api, ...conditions }
  else Object.assign(world.api, conditions)
  world.later(time, () => {
    if (one) one.trouble = undefined
    else Object.assign(world.api, GOOD_API)
  })
}

function startAll(world: World): void {
  for (const replica of world.replicas) world.startCloud(replica)
}

function openWire(world: World, node: string): void {
  Object.assign(world.network.wire(node), { isUpOpen: true, isDownOpen: true })
  world.network.changed(node)
}

function startLater(world: World, dice: Dice, machine: Machine): void {
  world.scheduler.after(dice.chance(0.5) ? dice.next() * 2000 : dice.next() * 40_000, () => world.startEdge(machine))
}

function someReplica(world: World, dice: Dice): Replica {
  const replica = dice.pick(world.replicas)
  if (!replica) throw new Error('a world without a cloud half')
  return replica
}

function someMachine(world: World, dice: Dice): Machine {
  const machine = dice.pick(world.machines)
  if (!machine) throw new Error('a world without machines')
  return machine
}
