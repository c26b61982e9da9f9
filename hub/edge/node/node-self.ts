import type { Bus } from '../../../platform/bus/index.ts'
import { type Clock, type Duration, minutes, seconds } from '../../../platform/time/index.ts'
import { links, nodeConditions, nodeRuntime } from '../../../schemas/index.ts'
import { type NodeCondition, type NodeHealth, OCCASIONAL, readyCondition } from './conditions.ts'
import { type MachineFacts, machineFacts } from './machine.ts'
import type { NodeExtras } from './node-object.ts'
import type { PodRoom } from './pod-room.ts'
import { DEFAULT_THRESHOLDS, measureRoom, Pressures, type Room, type Thresholds } from './pressure.ts'

/** How a node is just now. */
export interface Seen {
  readonly facts: MachineFacts
  readonly conditions: readonly NodeCondition[]
  /** Types of conditions that it had, or may have had before a restart, and has no more. */
  readonly over: readonly string[]
  /** Absent where nothing runs pods. */
  readonly pods?: PodRoom
}

/** What a node knows of itself, whatever becomes of its links. */
export interface NodeSelf {
  readonly extras: NodeExtras
  /** Of its Lease, in whole seconds; renewed four times as often. */
  readonly lease: Duration
  look(): Promise<Seen>
  /** Told when it is worth to look before the next time. */
  onChange(handler: () => void): Disposable
}

export interface NodeSelfPorts {
  readonly bus: Bus
  readonly clock: Clock
  /** Of the disk that counts. */
  readonly directory: string
  readonly health: () => NodeHealth
  readonly extras: NodeExtras
  /** Instead of the first address of this machine. */
  readonly address?: string
  readonly thresholds?: Thresholds
  /** Default 40 s, that of a kubelet. */
  readonly lease?: Duration
  /** Default: this machine. */
  readonly measure?: (directory: string) => Promise<Room>
}

const LEASE = seconds(40)

/** This machine, the parts of this edge, and the conditions that other parts contribute on the bus. */
export function createNodeSelf(ports: NodeSelfPorts): NodeSelf {
  const { bus, clock, directory, health, extras, address, measure = measureRoom } = ports
  const contributedEver = new Set<string>(Object.values(OCCASIONAL))
  const conflict = followConflicts(bus, clock)
  const thresholds = ports.thresholds ?? DEFAULT_THRESHOLDS
  const pressures = new Pressures(thresholds, clock)
  return {
    extras,
    lease: ports.lease ?? LEASE,
    async look() {
      const room = await measure(directory)
      const own = [readyCondition(health()), ...pressures.conditions(room), ...conflict()]
      const contributed = [...bus.list(nodeConditions)].map(([type, report]) => ({ type, ...report }))
      // Nobody but the edge itself says that it is Ready; of the rest, who contributes knows better.
      const others = contributed.filter(({ type }) => type !== 'Ready')
      const types = new Set(others.map(({ type }) => type))
      for (const type of types) contributedEver.add(type)
      const [runtime] = bus.list(nodeRuntime).values()
      const conditions = [...own.filter(({ type }) => !types.has(type)), ...others]
      return {
        facts: {
          ...machineFacts(),
          ...(address === undefined ? {} : { address }),
          ...(room.diskBytes === undefined ? {} : { diskBytes: room.diskBytes }),
        },
        conditions,
        over: [...contributedEver].filter((type) => !conditions.some((each) => each.type === type)),
        ...(runtime ? { pods: { runtime, thresholds } } : {}),
      }
    },
    onChange(handler) {
      const watches = [bus.watch(nodeConditions, () => handler()), bus.watch(nodeRuntime, () => handler())]
      return {
        [Symbol.dispose]() {
          for (const watch of watches) watch[Symbol.dispose]()
        },
      }
    },
  }
}

/** How the cloud ends a link because another edge has come with a certificate of the same name. */
const REPLACED = /replaced by a newer session/
const REMEMBERED = minutes(5)

/** The condition of a node whose name another edge has too; there while that was met within the last minutes. */
function followConflicts(bus: Bus, clock: Clock): () => readonly NodeCondition[] {
  let metAt = Number.NEGATIVE_INFINITY
  bus.watch(links, ({ value }) => {
    if (value && !value.connected && REPLACED.test(value.detail)) metAt = clock.monotonic()
  })
  const message = 'another edge connects with the same name: give each node a name of its own'
  const condition: NodeCondition = { type: OCCASIONAL.nameConflict, status: 'True', reason: 'AnotherEdge', message }
  return () => (clock.monotonic() - metAt < REMEMBERED.milliseconds ? [condition] : [])
}

/** A node that says of itself only that it is connected. */
export function plainSelf(facts: () => MachineFacts = machineFacts): NodeSelf {
  return {
    extras: { labels: {}, taints: [] },
    lease: LEASE,
    look: async () => ({ facts: facts(), conditions: [readyCondition({ failing: [], waiting: [] })], over: [] }),
    onChange: () => ({ [Symbol.dispose]: () => undefined }),
  }
}
