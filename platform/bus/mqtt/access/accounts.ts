import { createHash, timingSafeEqual } from 'node:crypto'
import { isPodUser, type MqttAccount } from '../../../../schemas/index.ts'
import { type Rights, rightsOfClient } from './rights.ts'

/** What the broker does when an account changes: `gone` ends its sessions too. */
export type OnAccountChange = (user: string, change: 'changed' | 'gone') => void

/** Accounts of pods, which come and go while the broker runs. They are in memory, and outlive a restart of the broker. */
export class Accounts {
  readonly #byUser = new Map<string, { readonly account: MqttAccount; readonly rights: Rights }>()
  readonly #listeners = new Set<OnAccountChange>()

  /** A name that is not of a pod is passed over: it could be that of somebody else. */
  set(user: string, account: MqttAccount): void {
    if (!isPodUser(user)) return
    const before = this.#byUser.get(user)?.account
    this.#byUser.set(user, { account, rights: rightsOf(user, account) })
    if (before && !isSame(before, account)) this.#tell(user, 'changed')
  }

  remove(user: string): void {
    if (this.#byUser.delete(user)) this.#tell(user, 'gone')
  }

  get size(): number {
    return this.#byUser.size
  }

  has(user: string): boolean {
    return this.#byUser.has(user)
  }

  rightsOf(user: string): Rights | undefined {
    return this.#byUser.get(user)?.rights
  }

  /** Passwords are random and long: nobody finds one by trying, and one hash protects them. */
  isPassword(user: string, password: Uint8Array | undefined): boolean {
    const found = this.#byUser.get(user)
    if (!found || password === undefined) return false
    const expected = Buffer.from(found.account.passwordHash, 'hex')
    const made = createHash('sha256').update(password).digest()
    return expected.length === made.length && timingSafeEqual(made, expected)
  }

  follow(listener: OnAccountChange): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  #tell(user: string, change: 'changed' | 'gone'): void {
    for (const listener of this.#listeners) listener(user, change)
  }
}

function rightsOf(name: string, { read, write }: MqttAccount): Rights {
  const nothing = { name, publish: [], subscribe: [] }
  return rightsOfClient([
    { ...nothing, twins: [...read], access: 'read' },
    { ...nothing, twins: [...write], access: 'app' },
  ])
}

function isSame(left: MqttAccount, right: MqttAccount): boolean {
  const text = ({ passwordHash, read, write }: MqttAccount) => JSON.stringify([passwordHash, read, write])
  return text(left) === text(right)
}
