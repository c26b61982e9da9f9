import { readFileIfPresent, writeFileAtomic } from '../../../../platform/files/index.ts'
import { describeError } from '../../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../../platform/log/index.ts'
import { type Clock, minutes, seconds } from '../../../../platform/time/index.ts'
import type { JsonObject } from '../../../../schemas/index.ts'
import { isJsonObject, textAt } from '../../../kube/object/index.ts'
import { ISSUER } from '../../../serving/access/authentication.ts'
import type { Applications } from '../../applications/applications.ts'
import { type IssuerKey, issuerKeys } from './token-signature.ts'

export interface IssuerPorts {
  readonly applications: Pick<Applications, 'isConnected' | 'read'>
  /** Where it is kept for the time without the cloud. */
  readonly file: string
  readonly clock: Clock
  readonly log: Logger
}

/** Who issues tokens of service accounts, and the keys that tell them from forged ones. */
export interface Issuer {
  readonly name: string
  readonly keys: readonly IssuerKey[]
}

const CONFIGURATION = '/.well-known/openid-configuration'
const KEY_SET = '/openid/v1/jwks'
/** Keys are exchanged rarely, and a token of a new one makes us look at once. */
const EVERY = minutes(60)
/** Not sooner, however many tokens of unknown keys come. */
const NEVER_BEFORE = seconds(10)

/** The cluster's issuer as the cloud last told, on disk. */
export class KnownIssuer {
  readonly #ports: IssuerPorts
  #issuer: Issuer = { name: ISSUER, keys: [] }
  #askedAt = Number.NEGATIVE_INFINITY
  #asking: Promise<void> | undefined

  constructor(ports: IssuerPorts) {
    this.#ports = ports
  }

  async open(): Promise<void> {
    const text = await readFileIfPresent(this.#ports.file)
    const stored = text === undefined ? undefined : parsed(text)
    if (stored) this.#issuer = stored
  }

  /** `isKeyMissing`: a token came whose key is not known. */
  async get(isKeyMissing: boolean, signal: AbortSignal): Promise<Issuer> {
    const age = this.#ports.clock.monotonic() - this.#askedAt
    const isNeeded = isKeyMissing || this.#issuer.keys.length === 0
    const isDue = age >= (isNeeded ? NEVER_BEFORE : EVERY).milliseconds
    if (this.#ports.applications.isConnected && isDue) this.#asking ??= this.#ask(signal)
    // Who can be told from what is known does not wait.
    if (isNeeded) await this.#asking
    return this.#issuer
  }

  async #ask(signal: AbortSignal): Promise<void> {
    const { applications, file, clock, log } = this.#ports
    this.#askedAt = clock.monotonic()
    try {
      const [configuration, set] = await Promise.all([
        applications.read({ path: CONFIGURATION }, signal),
        applications.read({ path: KEY_SET }, signal),
      ])
      const name = textAt(configuration.object ?? {}, 'issuer') || ISSUER
      const keys = issuerKeys(set.object ?? {})
      if (set.code !== 200 || keys.length === 0) throw new Error(`the cloud answered ${set.code} without a key`)
      this.#issuer = { name, keys }
      await writeFileAtomic(file, JSON.stringify({ issuer: name, jwks: set.object }), 0o600)
    } catch (error) {
      log.warn('The keys of the issuer of tokens could not be asked for; those on disk serve', {
        error: describeError(error),
      })
    } finally {
      this.#asking = undefined
    }
  }
}

function parsed(text: string): Issuer | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (!isJsonObject(value) || !isJsonObject(value['jwks'])) return undefined
    const set: JsonObject = value['jwks']
    return { name: textAt(value, 'issuer') || ISSUER, keys: issuerKeys(set) }
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
