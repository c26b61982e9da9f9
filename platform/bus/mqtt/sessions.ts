import type { Client, PublishPacket, Subscription } from 'aedes'

export interface SessionLimits {
  /** Messages that wait for one session. */
  readonly maxQueued: number
  /** Topics with a retained message. */
  readonly maxRetained: number
  /** Sessions that outlive their connection. */
  readonly maxSessions: number
}

export const SESSION_LIMITS: SessionLimits = { maxQueued: 1000, maxRetained: 10_000, maxSessions: 1000 }

/** What the broker's memory of sessions does, as far as it is bounded here. */
interface Persistence {
  outgoingEnqueue(subscription: { clientId: string }, packet: PublishPacket): Promise<void>
  outgoingEnqueueCombi(subscriptions: readonly { clientId: string }[], packet: PublishPacket): Promise<void>
  outgoingClearMessageId(client: Client, packet: PublishPacket): Promise<PublishPacket | undefined>
  storeRetained(packet: PublishPacket): Promise<void>
  addSubscriptions(client: Client, subscriptions: readonly Subscription[]): Promise<void>
  cleanSubscriptions(client: Client): Promise<void>
}

/**
 * Puts bounds on the memory of a broker that keeps sessions and retained messages without any. A message beyond the bound of
 * a session is not kept: an absent client misses it, a connected one that never acknowledges is disconnected by the broker.
 */
export function boundSessions(
  broker: object,
  limits: SessionLimits,
  onDropped: (reason: 'session' | 'retained') => void,
): void {
  const memory = persistenceOf(broker)
  const { outgoingEnqueue, outgoingEnqueueCombi, outgoingClearMessageId } = bound(memory)
  const { storeRetained, addSubscriptions, cleanSubscriptions } = bound(memory)
  const queued = new Map<string, number>()
  const retained = new Set<string>()
  const sessions = new Set<string>()

  const takes = ({ clientId }: { readonly clientId: string }): boolean => {
    const count = queued.get(clientId) ?? 0
    if (count >= limits.maxQueued) {
      onDropped('session')
      return false
    }
    queued.set(clientId, count + 1)
    return true
  }

  memory.outgoingEnqueue = async (subscription, packet) => {
    if (takes(subscription)) await outgoingEnqueue(subscription, packet)
  }
  memory.outgoingEnqueueCombi = async (subscriptions, packet) => {
    if (subscriptions.length > 0) await outgoingEnqueueCombi(subscriptions.filter(takes), packet)
  }
  memory.outgoingClearMessageId = async (client, packet) => {
    const cleared = await outgoingClearMessageId(client, packet)
    const count = queued.get(client.id) ?? 0
    if (cleared && count > 1) queued.set(client.id, count - 1)
    else if (cleared) queued.delete(client.id)
    return cleared
  }
  memory.storeRetained = async (packet) => {
    if (packet.payload.length === 0) retained.delete(packet.topic)
    else if (retained.size < limits.maxRetained || retained.has(packet.topic)) retained.add(packet.topic)
    else return onDropped('retained')
    await storeRetained(packet)
  }
  memory.addSubscriptions = async (client, subscriptions) => {
    if (sessions.size >= limits.maxSessions && !sessions.has(client.id)) {
      onDropped('session')
      throw new Error('the broker keeps no more sessions')
    }
    sessions.add(client.id)
    await addSubscriptions(client, subscriptions)
  }
  memory.cleanSubscriptions = async (client) => {
    sessions.delete(client.id)
    await cleanSubscriptions(client)
  }
}

function bound(memory: Persistence): Persistence {
  return {
    outgoingEnqueue: memory.outgoingEnqueue.bind(memory),
    outgoingEnqueueCombi: memory.outgoingEnqueueCombi.bind(memory),
    outgoingClearMessageId: memory.outgoingClearMessageId.bind(memory),
    storeRetained: memory.storeRetained.bind(memory),
    addSubscriptions: memory.addSubscriptions.bind(memory),
    cleanSubscriptions: memory.cleanSubscriptions.bind(memory),
  }
}

/** The broker has it, its types do not say so. */
function persistenceOf(broker: object): Persistence
function persistenceOf(broker: object): unknown {
  return Reflect.get(broker, 'persistence')
}
