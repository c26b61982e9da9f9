import { createHash } from 'node:crypto'
import type { Counter } from '../../../../platform/health/index.ts'
import { describeError } from '../../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../../platform/log/index.ts'
import { type Clock, DeadlineError, type Duration, seconds, withDeadline } from '../../../../platform/time/index.ts'
import type { JsonObject } from '../../../../schemas/index.ts'
import { isJsonObject } from '../../../kube/object/index.ts'
import type { Asker } from '../../../serving/descriptions/asker.ts'
import type { User } from '../../../serving/user.ts'
import type { ApplicationAnswer, Applications } from '../../applications/applications.ts'
import { isOperator, type Rights } from '../access/rights.ts'
import type { Copies } from '../requests/copies.ts'
import { LARGEST_DOCUMENT, type ToldDocuments } from './told-documents.ts'

export interface LastToldPorts {
  readonly applications: Pick<Applications, 'isConnected' | 'peer' | 'read'>
  readonly documents: ToldDocuments
  readonly rights: Pick<Rights, 'decide'>
  readonly copies: Pick<Copies, 'find' | 'keep' | 'drop'>
  readonly clock: Clock
  readonly log: Logger
  /** With label `outcome`. */
  readonly asked: Counter
  /** Of MetaServer: who asks may leave while others wait for the same answer. */
  readonly signal: AbortSignal
}

export interface LastToldOptions {
  readonly paths: readonly string[]
  readonly aggregated?: boolean
  /** The same caller does not make us ask again sooner. */
  readonly rest: Duration
  /** So long an answer is waited for where there is an earlier one. */
  readonly patience: Duration
  /** Takes what is said at a path; false where it is nothing of the kind. Absent: nobody needs it before it is read from disk. */
  readonly take?: (path: string, object: JsonObject) => boolean
}

interface CallerState {
  /** Monotonic ms. */
  nextAt: number
  isFailing: boolean
  /** As the cluster said; undefined where it gave no answer. */
  isAllowed: boolean | undefined
  asking: Promise<void> | undefined
}

const MOST_CALLERS = 256
/** After a question without an answer. */
const AFTER_FAILURE = seconds(30)
/** Nobody has an answer yet; requests to the cloud have this deadline. */
const FIRST = seconds(10)
const LONGEST_TAG = 256

/**
 * What the cluster says at some paths, the same to everybody who may know it. Each caller makes us ask in his own name, so the API
 * decides whether he may; as long as nothing changed its answer is no more than that. Without the cloud the last one serves those who
 * may know by what this node was told of their rights, or who were told once.
 */
export class LastTold {
  readonly #ports: LastToldPorts
  readonly #options: LastToldOptions
  readonly #callers = new Map<string, CallerState>()
  readonly #tags = new Map<string, string>()
  #isTroubled = false
  #expiries = 0

  constructor(ports: LastToldPorts, options: LastToldOptions) {
    this.#ports = ports
    this.#options = options
  }

  /** Goes on from what is on disk. */
  async open(): Promise<void> {
    const { documents } = this.#ports
    const { paths, take } = this.#options
    for (const path of paths) {
      const tag = documents.tagOf(path)
      const object = take && tag !== undefined ? parsed(await documents.read(path)) : undefined
      if (tag !== undefined && (!take || (object && take(path, object)))) this.#tags.set(path, tag)
    }
  }

  get isKnown(): boolean {
    return this.#options.paths.every((path) => this.#tags.has(path))
  }

  /** Whether something is known, and he may know it. Asks the cluster where that is due. Rejects only where he has left. */
  async isShownTo(asker: Asker): Promise<boolean> {
    const { applications } = this.#ports
    const { user, token } = asker
    // It asks with rights of its own, which are nobody's here.
    if (applications.peer === 'kubeedge') return false
    if (applications.isConnected && (token !== undefined || isOperator(user))) {
      const state = this.#stateOf(user)
      await this.#ask(asker, state)
      if (state.isAllowed !== undefined) return state.isAllowed && this.isKnown
    }
    return this.isKnown && this.#mayKnow(user)
  }

  /** What is known is no longer so. */
  expire(): void {
    this.#expiries++
    for (const state of this.#callers.values()) if (!state.isFailing) state.nextAt = Number.NEGATIVE_INFINITY
  }

  #mayKnow(user: User): boolean {
    const { rights, copies } = this.#ports
    const [path = ''] = this.#options.paths
    const decision = rights.decide(user, { verb: 'get', path })
    return decision?.allowed ?? copies.find(user, markOf(path)) !== undefined
  }

  async #ask(asker: Asker, state: CallerState): Promise<void> {
    const { clock } = this.#ports
    if (!state.asking && clock.monotonic() < state.nextAt) return
    state.asking ??= this.#read(asker, state).finally(() => {
      state.asking = undefined
    })
    const { asking } = state
    try {
      await withDeadline(clock, this.isKnown ? this.#options.patience : FIRST, asker.signal, () => asking)
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error
    }
  }

  /** Never rejects. */
  async #read({ user, token }: Asker, state: CallerState): Promise<void> {
    const { applications, clock, log, asked, signal } = this.#ports
    const { paths, aggregated = false, rest } = this.#options
    const own = isOperator(user) || token === undefined ? {} : { token }
    const expiries = this.#expiries
    try {
      const answers = await Promise.all(
        paths.map((path) => {
          const tag = this.#tagOf(path)
          return applications.read(
            { path, aggregated, ...own, ...(tag === undefined ? {} : { knownTag: tag }) },
            signal,
          )
        }),
      )
      const isRefused = answers.some(({ code }) => code === 401 || code === 403)
      const changes = isRefused ? [] : await Promise.all(answers.map((each, at) => this.#take(paths[at] ?? '', each)))
      this.#note(user, !isRefused)
      Object.assign(state, { isAllowed: !isRefused, isFailing: false })
      asked.add(1, { outcome: isRefused ? 'refused' : changes.includes(true) ? 'changed' : 'unchanged' })
      this.#isTroubled = false
    } catch (error) {
      Object.assign(state, { isAllowed: undefined, isFailing: true })
      asked.add(1, { outcome: 'failed' })
      const told = { paths, error: describeError(error) }
      if (this.#isTroubled || !applications.isConnected) log.debug(TROUBLE, told)
      else log.warn(TROUBLE, told)
      this.#isTroubled = true
    }
    // What was asked before may have been answered before.
    const isOver = !state.isFailing && expiries !== this.#expiries
    state.nextAt = isOver
      ? Number.NEGATIVE_INFINITY
      : clock.monotonic() + (state.isFailing ? AFTER_FAILURE : rest).milliseconds
  }

  /** Whether it says something else than before. Throws where it says nothing of use. */
  async #take(path: string, { code, object, tag }: ApplicationAnswer): Promise<boolean> {
    if (code === 304 && this.#tagOf(path) !== undefined) return false
    if (code !== 200 || !object) throw new Error(`the cloud answered ${code}`)
    const text = JSON.stringify(object)
    if (text.length > LARGEST_DOCUMENT) throw new Error(`the answer has more than ${LARGEST_DOCUMENT} characters`)
    const known = tag !== undefined && tag.length <= LONGEST_TAG ? tag : hashOf(text)
    if (this.#tagOf(path) === known) return false
    const { take } = this.#options
    if (take && !take(path, object))
      throw new Error('the answer has another form: is the cluster older than Kubernetes 1.27?')
    this.#tags.set(path, known)
    await this.#ports.documents.keep(path, known, text)
    return true
  }

  /** Of what is here: a document that nobody took into memory may have had to make room on disk. */
  #tagOf(path: string): string | undefined {
    return this.#options.take ? this.#tags.get(path) : this.#ports.documents.tagOf(path)
  }

  /** For the time without the cloud, where his rights are not known on this node. */
  #note(user: User, isAllowed: boolean): void {
    const { copies } = this.#ports
    const mark = markOf(this.#options.paths[0] ?? '')
    const isNoted = copies.find(user, mark) !== undefined
    if (isAllowed && !isNoted && !isOperator(user)) copies.keep(user, mark, { code: 200, object: {} })
    else if (!isAllowed && isNoted) copies.drop(user, mark)
  }

  #stateOf({ name, uid = '' }: User): CallerState {
    const key = `${name}\n${uid}`
    const known = this.#callers.get(key)
    const state = known ?? {
      nextAt: Number.NEGATIVE_INFINITY,
      isFailing: false,
      isAllowed: undefined,
      asking: undefined,
    }
    // The latest stands last.
    this.#callers.delete(key)
    this.#callers.set(key, state)
    const [oldest] = this.#callers.keys()
    if (this.#callers.size > MOST_CALLERS && oldest !== undefined) this.#callers.delete(oldest)
    return state
  }
}

const TROUBLE = 'What the cluster serves could not be asked for; what was known before serves'

/** Where a copy says that somebody was told. */
function markOf(path: string): string {
  return `${path}?`
}

function hashOf(text: string): string {
  return `"${createHash('sha256').update(text).digest('hex')}"`
}

function parsed(text: string | undefined): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '')
    return isJsonObject(value) ? value : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
