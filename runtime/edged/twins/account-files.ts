import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Static, Type } from 'typebox'
import { Check } from 'typebox/value'
import { ensureDirectory, readFileIfPresent, removeFile, writeFileAtomic } from '../../../platform/files/index.ts'

const names = Type.Array(Type.String())

/** What is kept of the account of a pod while the pod lives. */
const Account = Type.Object({ user: Type.String(), password: Type.String(), read: names, write: names })
export type KeptAccount = Static<typeof Account>

const END = '.json'

/** The accounts of this node's pods by uid, one file each, mode 0600. */
export class AccountFiles {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** A file that is damaged counts as none: its pod gets another password with its next start. */
  async all(): Promise<Map<string, KeptAccount>> {
    await ensureDirectory(this.#folder, 0o700)
    const found = new Map<string, KeptAccount>()
    for (const file of await readdir(this.#folder)) {
      if (!file.endsWith(END) || file.startsWith('.')) continue
      const account = accountIn(await readFileIfPresent(join(this.#folder, file)))
      if (account) found.set(file.slice(0, -END.length), account)
    }
    return found
  }

  async write(uid: string, account: KeptAccount): Promise<void> {
    await writeFileAtomic(this.#path(uid), `${JSON.stringify(account)}\n`, 0o600)
  }

  async remove(uid: string): Promise<void> {
    await removeFile(this.#path(uid))
  }

  #path(uid: string): string {
    return join(this.#folder, `${uid}${END}`)
  }
}

/** Long enough that nobody finds it by trying. */
export function newPassword(): string {
  return randomBytes(32).toString('base64url')
}

function accountIn(text: string | undefined): KeptAccount | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '')
    return Check(Account, value) ? value : undefined
  } catch {
    return undefined
  }
}
