import type { Duplex } from 'node:stream'
import type { Client } from 'aedes'
import { Places } from '../../../lifecycle/places.ts'
import { type Duration, seconds } from '../../../time/index.ts'
import type { Counters } from '../counters.ts'
import { Doorkeeper, type DoorkeeperOptions, type Guest, type Refusal } from './doorkeeper.ts'
import { passwordLine } from './password-lines.ts'
import type { Peer } from './peer.ts'
import { type Rights, rightsOfAnonymous } from './rights.ts'

export interface GateOptions extends DoorkeeperOptions {
  readonly counters: Counters
  /** Of one user, and of all anonymous clients together. Default: no limit. */
  readonly maxConnectionsPerUser?: number | undefined
  /** Of one pod, and most sessions that wait for its clients. Default: no limit. */
  readonly maxConnectionsPerPod?: number | undefined
  /** How often the password file is looked at for users that are gone. */
  readonly recheck?: Duration
}

const NOBODY: Guest = { user: undefined, rights: rightsOfAnonymous('none') }
const RECHECK = seconds(5)
/** Failed logins of one address are told that often. */
const QUIET_MS = 10_000

/** What waits for clients that are away. */
export interface Waiting {
  /** The user of a session that waits under a client id. */
  ownerOf(id: string): string | undefined
  /** How many sessions a user has. */
  countOf(user: string): number
}

/** Who is connected, and as whom. */
export class Gate {
  readonly #options: GateOptions
  readonly #doorkeeper: Doorkeeper
  readonly #peers = new WeakMap<Duplex, Peer>()
  /** Also after the connection: the last will is judged then. */
  readonly #guests = new WeakMap<Client, Guest>()
  /** By client id, while its connection lasts. */
  readonly #present = new Map<string, { readonly client: Client; readonly guest: Guest }>()
  readonly #places = new Places<string | undefined>()
  readonly #failures = new Map<string, { toldMs: number; count: number }>()

  constructor(options: GateOptions) {
    this.#options = options
    this.#doorkeeper = new Doorkeeper(options)
  }

  /** Throws ConfigError where the password file cannot be used. */
  async open(): Promise<void> {
    await this.#doorkeeper.open()
  }

  async hasUsers(): Promise<boolean> {
    const users = await this.#doorkeeper.users()
    return users !== undefined && users.size > 0
  }

  /** Ends the connections of users whose line in the password file has gone or changed. Runs until the signal aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    const { clock, recheck = RECHECK } = this.#options
    while (this.#options.passwordFile) {
      await clock.sleep(recheck, signal)
      const users = await this.#doorkeeper.users()
      for (const { client, guest } of [...this.#present.values()]) {
        const { user, line } = guest
        if (user === undefined || line === undefined) continue
        const now = users?.get(user)
        if (now && passwordLine(user, now) === line) continue
        this.#options.log.info('The password of a connected MQTT client was withdrawn', { client: client.id, user })
        client.conn.destroy()
      }
    }
  }

  /** A connection, before it is handed to the broker. */
  expect(connection: Duplex, peer: Peer): void {
    this.#peers.set(connection, peer)
  }

  /** Settles with why the client stays outside, or with nothing. */
  async admit(
    client: Client,
    user: string | undefined,
    password: Uint8Array | undefined,
    waiting: Waiting,
  ): Promise<Refusal | undefined> {
    const peer = this.#peers.get(client.conn) ?? UNKNOWN_PEER
    const found = await this.#doorkeeper.identify(peer, user || undefined, password)
    const refusal = 'reason' in found ? found : this.#refuseKnown(client, found, waiting)
    if (refusal) {
      this.#options.counters.refused.add(1, { reason: refusal.counted ?? REASONS[refusal.returnCode] })
      this.#tell(client, peer, user, refusal)
      return refusal
    }
    if (!('reason' in found)) this.#enter(client, found)
    return undefined
  }

  /** Of a user, whether or not he is connected. */
  rightsOf(user: string): Rights {
    return this.#doorkeeper.named(user).rights
  }

  /** Ends the connections of a user. What they still say, such as a last will, is not heard. */
  expel(user: string): void {
    for (const { client, guest } of [...this.#present.values()]) {
      if (guest.user !== user) continue
      this.#guests.set(client, NOBODY)
      client.conn.destroy()
    }
  }

  /** Who has come in with a client id last, while its connection stands. */
  clientOf(id: string): Client | undefined {
    return this.#present.get(id)?.client
  }

  /** Who is connected with a client id; undefined for nobody and for anonymous clients. */
  userOf(id: string): string | undefined {
    return this.#present.get(id)?.guest.user
  }

  of(client: Client | null): Guest {
    return (client && this.#guests.get(client)) ?? NOBODY
  }

  /** The client id of somebody with a name is his while he is connected or has a session: nobody else takes it from him. */
  #refuseKnown({ id, clean }: Client, { user, isAccount }: Guest, waiting: Waiting): Refusal | undefined {
    const owner = waiting.ownerOf(id)
    const isOthers = [this.userOf(id), owner].some((each) => each && each !== user)
    if (isOthers) return { returnCode: 2, reason: 'the client id is that of another user' }
    const { maxConnectionsPerUser, maxConnectionsPerPod } = this.#options
    const most = (isAccount ? maxConnectionsPerPod : maxConnectionsPerUser) ?? Number.POSITIVE_INFINITY
    // Who takes its own connection over holds no more of them afterwards.
    if (!this.#present.has(id) && this.#places.takenBy(user) >= most) {
      const counted = isAccount ? 'pod-connections' : 'connections'
      return { returnCode: 3, reason: `too many connections of one ${isAccount ? 'pod' : 'user'}`, counted }
    }
    // Otherwise one pod could take all sessions that the broker has.
    const wantsSession = isAccount && !clean && owner === undefined
    if (!wantsSession || waiting.countOf(user ?? '') < most) return undefined
    return {
      returnCode: 3,
      reason: 'too many sessions of one pod: its clients should keep their ids',
      counted: 'pod-sessions',
    }
  }

  #enter(client: Client, guest: Guest): void {
    const { user, isInner, isAccount } = guest
    if (client.closed) return
    this.#guests.set(client, guest)
    this.#present.set(client.id, { client, guest })
    const place = this.#places.take(user)
    client.conn.once('close', () => {
      place[Symbol.dispose]()
      if (this.#present.get(client.id)?.client === client) this.#present.delete(client.id)
    })
    const isListed = this.#options.clients.some(({ name }) => name === user)
    if (user === undefined || isListed || isInner || isAccount) return
    this.#options.log.warn('An MQTT user has no entry in mqtt.clients: it is connected and may do nothing', { user })
  }

  #tell(client: Client, { address }: Peer, user: string | undefined, { reason }: Refusal): void {
    const now = this.#options.clock.monotonic()
    const before = this.#failures.get(address) ?? { toldMs: Number.NEGATIVE_INFINITY, count: 0 }
    before.count++
    if (this.#failures.size > 1000) this.#failures.clear()
    this.#failures.set(address, before)
    if (now - before.toldMs < QUIET_MS) return
    const fields = { client: client.id, address, ...(user ? { user } : {}), reason, refused: before.count }
    this.#options.log.warn('An MQTT client was refused', fields)
    before.toldMs = now
    before.count = 0
  }
}

const UNKNOWN_PEER: Peer = { address: 'unknown', isLocal: false }
const REASONS = { 2: 'identifier', 3: 'logins', 4: 'credentials', 5: 'credentials' } as const
