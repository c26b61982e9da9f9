import type { Duplex } from 'node:stream'
import type { Client } from 'aedes'
import type { Anonymous, MqttClientConfig } from '../../../../schemas/config/index.ts'
import { isPodUser } from '../../../../schemas/index.ts'
import type { Logger } from '../../../log/logger.ts'
import { type Clock, type Duration, seconds } from '../../../time/index.ts'
import type { Counters } from '../counters.ts'
import type { Accounts } from './accounts.ts'
import { checkClients } from './check-clients.ts'
import { type InnerAccount, isInner, rightsOfInner } from './inner-account.ts'
import { Login, type LoginLimits } from './login.ts'
import { PasswordFile } from './password-file.ts'
import { passwordLine } from './password-lines.ts'
import type { Peer } from './peer.ts'
import { type Rights, rightsOfAnonymous, rightsOfClient } from './rights.ts'
import { ConnectionShares } from './shares.ts'

export interface GateOptions {
  readonly anonymous: Anonymous
  readonly anonymousRemote: Anonymous
  readonly clients: readonly MqttClientConfig[]
  readonly passwordFile: { readonly path: string; readonly isNamed: boolean } | undefined
  /** Of this process alone. */
  readonly inner?: InnerAccount | undefined
  /** Of pods. */
  readonly accounts?: Accounts | undefined
  readonly clock: Clock
  readonly log: Logger
  readonly counters: Counters
  readonly limits?: LoginLimits
  /** Of one user, and of all anonymous clients together. Default: no limit. */
  readonly maxConnectionsPerUser?: number | undefined
  /** How often the password file is looked at for users that are gone. */
  readonly recheck?: Duration
}

/** MQTT 3.1.1 §3.2.2.3: identifier rejected, server unavailable, bad user name or password, not authorized. */
export interface Refusal {
  readonly returnCode: 2 | 3 | 4 | 5
  readonly reason: string
  /** Under which it is counted, where not under that of the code. */
  readonly counted?: 'connections'
}

/** Who a connected client is. */
export interface Guest {
  readonly user: string | undefined
  readonly rights: Rights
  /** The line of the password file that let it in. */
  readonly line?: string
  /** Its name stands nowhere in the configuration, and need not. */
  readonly isAccount?: true
  /** By the account of this process. */
  readonly isInner?: true
}

const NOBODY: Guest = { user: undefined, rights: rightsOfAnonymous('none') }
const RECHECK = seconds(5)
/** Failed logins of one address are told that often. */
const QUIET_MS = 10_000

/** Who may come in, and as whom. */
export class Gate {
  readonly #options: GateOptions
  readonly #login: Login
  readonly #file: PasswordFile | undefined
  readonly #rights = new Map<string, Rights>()
  readonly #peers = new WeakMap<Duplex, Peer>()
  /** Also after the connection: the last will is judged then. */
  readonly #guests = new WeakMap<Client, Guest>()
  /** By client id, while its connection lasts. */
  readonly #present = new Map<string, { readonly client: Client; readonly guest: Guest }>()
  readonly #shares: ConnectionShares
  readonly #failures = new Map<string, { toldMs: number; count: number }>()

  constructor(options: GateOptions) {
    checkClients(options.clients)
    this.#options = options
    if (options.inner) this.#rights.set(options.inner.user, rightsOfInner)
    this.#login = new Login(options.clock, options.limits)
    this.#shares = new ConnectionShares(options.maxConnectionsPerUser ?? Number.POSITIVE_INFINITY)
    this.#file = options.passwordFile && new PasswordFile({ ...options.passwordFile, log: options.log })
  }

  /** Throws ConfigError where the password file cannot be used. */
  async open(): Promise<void> {
    await this.#file?.open()
  }

  async hasUsers(): Promise<boolean> {
    const users = await this.#file?.users()
    return users !== undefined && users.size > 0
  }

  /** Ends the connections of users whose line in the password file has gone or changed. Runs until the signal aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    const { clock, recheck = RECHECK } = this.#options
    while (this.#file) {
      await clock.sleep(recheck, signal)
      const users = await this.#file.users()
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

  /** Settles with why the client stays outside, or with nothing. `ownerOf` is the user of a session that waits under an id. */
  async admit(
    client: Client,
    user: string | undefined,
    password: Uint8Array | undefined,
    ownerOf: (id: string) => string | undefined,
  ): Promise<Refusal | undefined> {
    const peer = this.#peers.get(client.conn) ?? UNKNOWN_PEER
    const found = await this.#identify(peer, user || undefined, password)
    const refusal = 'reason' in found ? found : this.#refuseKnown(client.id, found, ownerOf)
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
    return this.#named(user).rights
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

  async #identify(peer: Peer, user: string | undefined, password: Uint8Array | undefined): Promise<Guest | Refusal> {
    const { inner, accounts } = this.#options
    if (inner && isInner(inner, user, password)) return { user: inner.user, rights: rightsOfInner, isInner: true }
    if (accounts && user !== undefined && isPodUser(user)) {
      const isRight = accounts.isPassword(user, password)
      return isRight
        ? { ...this.#named(user), isAccount: true }
        : { returnCode: 4, reason: 'bad user name or password' }
    }
    const { certificateName } = peer
    const users = user === undefined ? undefined : await this.#file?.users()
    if (user !== undefined && users) {
      if (password === undefined && certificateName === user) return this.#named(user)
      const outcome = await this.#login.check(users, user, password ?? new Uint8Array(), peer.address)
      if (outcome === 'busy') return { returnCode: 3, reason: 'too many clients log in' }
      const hash = users.get(user)
      if (outcome === 'wrong' || !hash) return { returnCode: 4, reason: 'bad user name or password' }
      return { ...this.#named(user), line: passwordLine(user, hash) }
    }
    // Where no password can be right, a name proves nothing, and takes nothing away either.
    if (certificateName !== undefined) return this.#named(certificateName)
    const { anonymous, anonymousRemote } = this.#options
    const level = peer.isForPods ? 'none' : peer.isLocal ? anonymous : anonymousRemote
    if (level === 'none') return { returnCode: 5, reason: 'clients without credentials may not connect' }
    return { user: undefined, rights: rightsOfAnonymous(level) }
  }

  #named(user: string): Guest {
    const ofPod = this.#options.accounts?.rightsOf(user)
    if (ofPod) return { user, rights: ofPod }
    const rights = this.#rights.get(user) ?? rightsOfClient(this.#options.clients.filter(({ name }) => name === user))
    this.#rights.set(user, rights)
    return { user, rights }
  }

  /** The client id of somebody with a name is his while he is connected or has a session: nobody else takes it from him. */
  #refuseKnown(id: string, { user }: Guest, ownerOf: (id: string) => string | undefined): Refusal | undefined {
    const isOthers = [this.userOf(id), ownerOf(id)].some((owner) => owner && owner !== user)
    if (isOthers) return { returnCode: 2, reason: 'the client id is that of another user' }
    // Who takes its own connection over holds no more of them afterwards.
    if (this.#present.has(id) || !this.#shares.isFull(user)) return undefined
    return { returnCode: 3, reason: 'too many connections of one user', counted: 'connections' }
  }

  #enter(client: Client, guest: Guest): void {
    const { user, isInner, isAccount } = guest
    if (client.closed) return
    this.#guests.set(client, guest)
    this.#present.set(client.id, { client, guest })
    this.#shares.take(user, client.conn)
    client.conn.once('close', () => {
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
