import { describeError, UnavailableError } from '../../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../../platform/log/index.ts'
import type { Row, Store, StoreCall } from '../../../../platform/store/index.ts'
import type { Clock } from '../../../../platform/time/index.ts'

/** A message that waits for the target of a rule. */
export interface Waiting {
  readonly id: number
  /** `<namespace>/<name>` */
  readonly rule: string
  readonly node: string
  /** Id of the message. */
  readonly message: string
  /** A call of an application, not a message of an MQTT client. */
  readonly isCall: boolean
  readonly bytes: number
  /** Unix ms. */
  readonly received: number
}

/** What is sent. */
export interface Letter {
  readonly topic: string
  /** The same at each attempt, for targets that have to know what they get twice. */
  readonly message: string
  /** Of a call of an application: how the target is to be called. */
  readonly call: string
  readonly payload: Uint8Array
}

const MIB = 1024 * 1024
/** `share`: of one rule. A target that is away must leave room for others. */
const BOUNDS = { most: 256 * MIB, share: 64 * MIB }
/** Of messages whose payload is kept in memory too: those that go on at once need not be read. */
const WARM_BYTES = 8 * 1024 * 1024
/** Removals of one write. */
const MOST_REMOVED = 256

export interface SpoolPorts {
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Messages on disk, from before their edge is told that they are taken until their target has them. The disk saves traffic and
 * repetitions: Skerry's edges keep each until it is done, and send again what is not here any more.
 */
export class Spool {
  readonly #ports: SpoolPorts
  readonly #bounds: typeof BOUNDS
  /** Settled, and still on disk. Never more than are there. */
  readonly #owed = new Set<number>()
  readonly #warm = new Map<number, Letter>()
  #warmBytes = 0
  #lastId = 0
  #bytes = 0
  readonly #perRule = new Map<string, number>()

  constructor(ports: SpoolPorts, bounds = BOUNDS) {
    this.#bounds = bounds
    this.#ports = ports
  }

  get bytes(): number {
    return this.#bytes
  }

  /** More of the rule waits than one may have here. */
  isBeyondShare(rule: string): boolean {
    return (this.#perRule.get(rule) ?? 0) > this.#bounds.share
  }

  /** What an earlier process left, the oldest first. */
  async open(): Promise<readonly Waiting[]> {
    const rows = await this.#ports.store.read({ statement: 'router.index', parameters: [] })
    const waiting = rows.map(waitingOf)
    for (const { id, rule, bytes } of waiting) {
      this.#lastId = Math.max(this.#lastId, id)
      this.#count(rule, bytes)
    }
    return waiting
  }

  /** One message for several rules, in one write. Settles when it is on disk. */
  async put(rules: readonly string[], node: string, letter: Letter): Promise<readonly Waiting[]> {
    const { topic, message, call, payload } = letter
    const bytes = Buffer.byteLength(topic) + payload.length
    if (this.#bytes + bytes * rules.length > this.#bounds.most)
      throw new UnavailableError('Too many messages wait for the targets of rules', { code: 'HUB_ROUTER_FULL' })
    const received = Math.trunc(this.#ports.clock.now())
    const isCall = call !== ''
    const waiting = rules.map((rule) => ({ id: ++this.#lastId, rule, node, message, isCall, bytes, received }))
    for (const rule of rules) this.#count(rule, bytes)
    try {
      await this.#write(
        waiting.map(({ id, rule }) => ({
          statement: 'router.put',
          parameters: [id, rule, node, topic, message, call, payload, received],
        })),
      )
    } catch (error) {
      for (const rule of rules) this.#count(rule, -bytes)
      throw error
    }
    for (const { id } of waiting) this.#keepWarm(id, letter, bytes)
    return waiting
  }

  async read(id: number): Promise<Letter | undefined> {
    const warm = this.#warm.get(id)
    if (warm) return warm
    const [row] = await this.#ports.store.read({ statement: 'router.read', parameters: [id] })
    return row && letterOf(row)
  }

  /**
   * Forgets it. A disk that takes no writes holds up no lane: what is left there goes with the next write that it takes, and is sent
   * once more where this process ends before.
   */
  async remove({ id, rule, bytes }: Waiting): Promise<void> {
    this.#count(rule, -bytes)
    if (this.#warm.delete(id)) this.#warmBytes -= bytes
    try {
      await this.#write([removal(id)])
    } catch (error) {
      const text = 'Messages that the targets of rules have got could not be removed'
      if (this.#owed.size === 0) this.#ports.log.warn(text, { error: describeError(error) })
      this.#owed.add(id)
    }
  }

  /** With what earlier writes could not remove. */
  async #write(calls: readonly StoreCall[]): Promise<void> {
    const removed = [...this.#owed].slice(0, MOST_REMOVED)
    await this.#ports.store.write([...removed.map(removal), ...calls])
    for (const id of removed) this.#owed.delete(id)
  }

  #count(rule: string, bytes: number): void {
    this.#bytes += bytes
    const own = (this.#perRule.get(rule) ?? 0) + bytes
    if (own > 0) this.#perRule.set(rule, own)
    else this.#perRule.delete(rule)
  }

  #keepWarm(id: number, letter: Letter, bytes: number): void {
    if (this.#warmBytes + bytes > WARM_BYTES) return
    this.#warm.set(id, letter)
    this.#warmBytes += bytes
  }
}

function removal(id: number): StoreCall {
  return { statement: 'router.remove', parameters: [id] }
}

function waitingOf(row: Row): Waiting {
  return {
    id: Number(row['id']),
    rule: String(row['rule']),
    node: String(row['node']),
    message: String(row['message']),
    isCall: Number(row['isCall']) === 1,
    bytes: Number(row['bytes']),
    received: Number(row['received']),
  }
}

function letterOf({ topic, message, call, payload }: Row): Letter {
  return {
    topic: String(topic),
    message: String(message),
    call: String(call),
    payload: payload instanceof Uint8Array ? payload : new Uint8Array(0),
  }
}
