import type { Anonymous, MqttClientConfig } from '../../../../schemas/config/index.ts'
import { isPodUser } from '../../../../schemas/index.ts'
import type { Logger } from '../../../log/logger.ts'
import type { Clock } from '../../../time/index.ts'
import type { Accounts, OnAccountChange } from './accounts.ts'
import { checkClients } from './check-clients.ts'
import { type InnerAccount, isInner, rightsOfInner } from './inner-account.ts'
import { Login, type LoginLimits } from './login.ts'
import { PasswordFile, type Users } from './password-file.ts'
import { passwordLine } from './password-lines.ts'
import type { Peer } from './peer.ts'
import { type Rights, rightsOfAnonymous, rightsOfClient } from './rights.ts'

export interface DoorkeeperOptions {
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
  readonly limits?: LoginLimits
}

/** MQTT 3.1.1 §3.2.2.3: identifier rejected, server unavailable, bad user name or password, not authorized. */
export interface Refusal {
  readonly returnCode: 2 | 3 | 4 | 5
  readonly reason: string
  /** Under which it is counted, where not under that of the code. */
  readonly counted?: 'connections' | 'pod-connections' | 'pod-sessions'
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

/** Who somebody is by what he shows, and what he may do: the same for MQTT and for other ways in. */
export class Doorkeeper {
  readonly #options: DoorkeeperOptions
  readonly #login: Login
  readonly #file: PasswordFile | undefined
  readonly #rights = new Map<string, Rights>()

  /** Throws ConfigError for entries of clients that cannot be meant. */
  constructor(options: DoorkeeperOptions) {
    checkClients(options.clients)
    this.#options = options
    if (options.inner) this.#rights.set(options.inner.user, rightsOfInner)
    this.#login = new Login(options.clock, options.limits)
    this.#file = options.passwordFile && new PasswordFile({ ...options.passwordFile, log: options.log })
  }

  /** Throws ConfigError where the password file cannot be used. */
  async open(): Promise<void> {
    await this.#file?.open()
  }

  /** Those of the password file; undefined where there is none. */
  async users(): Promise<Users | undefined> {
    return this.#file?.users()
  }

  /** Tells of accounts that change while it runs. Lines of the password file are followed by who looks again. */
  follow(listener: OnAccountChange): Disposable {
    return this.#options.accounts?.follow(listener) ?? { [Symbol.dispose]: () => undefined }
  }

  /** Settles with why nobody comes in, or with who it is. */
  async identify(peer: Peer, user: string | undefined, password: Uint8Array | undefined): Promise<Guest | Refusal> {
    const { inner, accounts } = this.#options
    if (inner && isInner(inner, user, password)) return { user: inner.user, rights: rightsOfInner, isInner: true }
    if (accounts && user !== undefined && isPodUser(user)) {
      const isRight = accounts.isPassword(user, password)
      return isRight ? { ...this.named(user), isAccount: true } : { returnCode: 4, reason: 'bad user name or password' }
    }
    const { certificateName } = peer
    const users = user === undefined ? undefined : await this.#file?.users()
    if (user !== undefined && users) {
      if (password === undefined && certificateName === user) return this.named(user)
      const outcome = await this.#login.check(users, user, password ?? new Uint8Array(), peer.address)
      if (outcome === 'busy') return { returnCode: 3, reason: 'too many clients log in' }
      const hash = users.get(user)
      if (outcome === 'wrong' || !hash) return { returnCode: 4, reason: 'bad user name or password' }
      return { ...this.named(user), line: passwordLine(user, hash) }
    }
    // Where no password can be right, a name proves nothing, and takes nothing away either.
    if (certificateName !== undefined) return this.named(certificateName)
    const { anonymous, anonymousRemote } = this.#options
    const level = peer.isForPods ? 'none' : peer.isLocal ? anonymous : anonymousRemote
    if (level === 'none') return { returnCode: 5, reason: 'clients without credentials may not connect' }
    return { user: undefined, rights: rightsOfAnonymous(level) }
  }

  /** Of a user, whether or not he is there. */
  named(user: string): Guest {
    const ofPod = this.#options.accounts?.rightsOf(user)
    if (ofPod) return { user, rights: ofPod }
    const rights = this.#rights.get(user) ?? rightsOfClient(this.#options.clients.filter(({ name }) => name === user))
    this.#rights.set(user, rights)
    return { user, rights }
  }
}
