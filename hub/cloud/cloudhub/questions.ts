import { type Counter, type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { RefusedError, SkerryError, UnavailableError } from '../../../platform/lifecycle/index.ts'
import { type Clock, DeadlineError, withDeadline } from '../../../platform/time/index.ts'
import { type Frame, GROUPS, OPERATIONS } from '../../../schemas/index.ts'
import type { FrameFactory } from '../../link/index.ts'
import type { AskOptions, Question } from './delivery.ts'
import type { Session } from './session.ts'

export interface QuestionPorts {
  readonly frames: FrameFactory
  readonly clock: Clock
  readonly metrics?: Metrics
  /** Told of each answer that nobody waits for any more. */
  readonly onLate: () => void
}

interface Asked {
  readonly session: Session
  readonly answer: PromiseWithResolvers<Frame>
}

const MOST_OF_A_NODE = 128
const MOST = 8192
const LONGEST_REASON = 500

/** What was asked of connected nodes and has no answer yet: bounded for each node and in sum. */
export class Questions {
  readonly #ports: QuestionPorts
  /** By the id of the frame. */
  readonly #asked = new Map<string, Asked>()
  readonly #perSession = new Map<Session, number>()
  readonly #outcomes: Counter

  constructor(ports: QuestionPorts) {
    this.#ports = ports
    const metrics = ports.metrics ?? silentMetrics
    this.#outcomes = metrics.counter({
      name: 'skerry_cloudhub_questions_total',
      help: 'Questions to nodes, by outcome.',
      labels: ['outcome'],
    })
    metrics
      .gauge({ name: 'skerry_cloudhub_questions', help: 'Questions to nodes that wait for their answer.' })
      .follow(() => this.#asked.size)
  }

  async ask(session: Session | undefined, question: Question, { deadline, signal }: AskOptions): Promise<Frame> {
    try {
      signal?.throwIfAborted()
      const answer = await this.#ask(this.#room(session), question, { deadline, ...(signal ? { signal } : {}) })
      this.#outcomes.add(1, { outcome: 'answered' })
      return answer
    } catch (error) {
      this.#outcomes.add(1, { outcome: outcomeOf(error) })
      throw error
    }
  }

  tell(session: Session | undefined, { route, content }: Question): void {
    if (!session || session.ended) throw away(session?.peer.node, false)
    if (!session.notify(this.#ports.frames.make(route, content)))
      throw crowded(session.peer.node, 'on the way to this node')
  }

  /** Whether the frame is the answer to a question, or was: then nobody else has to see it. */
  answer(session: Session, frame: Frame): boolean {
    const { parent_msg_id: parent = '' } = frame.header
    if (parent === '') return false
    const asked = this.#asked.get(parent)
    if (asked?.session === session) {
      settle(asked.answer, frame)
      return true
    }
    // As a message of its own it has no parent: somebody else would take it for one.
    const isLate = frame.route.group === GROUPS.user && frame.route.operation !== OPERATIONS.error
    if (isLate) this.#ports.onLate()
    return isLate
  }

  /** The session has ended: nobody will answer. */
  end(session: Session): void {
    if (!this.#perSession.has(session)) return
    for (const asked of this.#asked.values()) {
      if (asked.session === session) asked.answer.reject(away(session.peer.node, true))
    }
  }

  #room(session: Session | undefined): Session {
    if (!session || session.ended) throw away(session?.peer.node, false)
    const { node } = session.peer
    if (this.#asked.size >= MOST) throw crowded(node, 'altogether')
    if ((this.#perSession.get(session) ?? 0) >= MOST_OF_A_NODE) throw crowded(node, 'of this node')
    return session
  }

  async #ask(session: Session, { route, content }: Question, { deadline, signal }: AskOptions): Promise<Frame> {
    const { frames, clock } = this.#ports
    const frame = frames.make(route, content)
    const answer = Promise.withResolvers<Frame>()
    answer.promise.catch(() => undefined)
    const id = frame.header.msg_id
    this.#asked.set(id, { session, answer })
    this.#perSession.set(session, (this.#perSession.get(session) ?? 0) + 1)
    try {
      if (!session.notify(frame)) throw crowded(session.peer.node, 'on the way to this node')
      return await withDeadline(clock, deadline, signal, () => answer.promise)
    } catch (error) {
      const wasSent = !session.withdraw(frame)
      throw error instanceof DeadlineError ? late(session.peer.node, wasSent, error) : error
    } finally {
      this.#asked.delete(id)
      const left = (this.#perSession.get(session) ?? 1) - 1
      if (left > 0) this.#perSession.set(session, left)
      else this.#perSession.delete(session)
    }
  }
}

function settle(answer: PromiseWithResolvers<Frame>, frame: Frame): void {
  const { route, content } = frame
  if (route.operation !== OPERATIONS.error) {
    answer.resolve(frame)
    return
  }
  const reason = (typeof content === 'string' ? content : 'no reason given').slice(0, LONGEST_REASON)
  const fields = { reason }
  answer.reject(new RefusedError('The node answered with an error', { code: 'HUB_NODE_REFUSED', fields }))
}

function away(node: string | undefined, wasSent: boolean): UnavailableError {
  const fields = { ...(node === undefined ? {} : { node }), wasSent }
  return new UnavailableError('The node is not connected', { code: 'HUB_NODE_AWAY', fields })
}

function crowded(node: string, where: string): UnavailableError {
  const fields = { node, where, wasSent: false }
  return new UnavailableError('Too many questions to nodes wait for their answer', { code: 'HUB_NODE_BUSY', fields })
}

function late(node: string, wasSent: boolean, cause: DeadlineError): UnavailableError {
  const fields = { node, wasSent }
  return new UnavailableError('The node has not answered in time', { code: 'HUB_NODE_SILENT', fields, cause })
}

const OUTCOMES: Readonly<Record<string, string>> = {
  HUB_NODE_AWAY: 'away',
  HUB_NODE_BUSY: 'busy',
  HUB_NODE_SILENT: 'deadline',
  HUB_NODE_REFUSED: 'refused',
}

function outcomeOf(error: unknown): string {
  return (error instanceof SkerryError ? OUTCOMES[error.code] : undefined) ?? 'abandoned'
}
