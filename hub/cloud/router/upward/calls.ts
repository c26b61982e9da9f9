import { describeError, SkerryError } from '../../../../platform/lifecycle/index.ts'
import { type Clock, DeadlineError, ms, seconds } from '../../../../platform/time/index.ts'
import {
  cloudAnswerContent,
  type Frame,
  MODULES,
  parseCloudCall,
  SERVICE_ERROR_HEADER,
} from '../../../../schemas/index.ts'
import type { FrameFactory } from '../../../link/index.ts'
import type { Upstream } from '../../cloudhub/delivery.ts'
import { type CallerAnswer, CallRefusal } from '../router-error.ts'
import type { LiveRule } from '../rules/live-rule.ts'
import type { RuleTable } from '../rules/rule-table.ts'
import { forwardedHeaders } from '../serving/headers.ts'
import type { RuleGates } from '../serving/rule-gates.ts'
import type { Tally } from '../status/tally.ts'
import type { RestTargets } from '../targets/rest-target.ts'
import type { WholeAnswer } from '../targets/service-frame.ts'
import { dictOf, originHeaders } from './deliver.ts'
import { ruleOfCall } from './upward.ts'

export interface CallPorts {
  readonly table: RuleTable
  readonly targets: RestTargets
  readonly gates: RuleGates
  readonly tally: Tally
  readonly frames: FrameFactory
  readonly clock: Clock
}

/** KubeEdge's own bound of such an answer. */
const MOST_ANSWER = 5 * 1024 * 1024
const MOST_OF_A_NODE = 32
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** Calls of applications at edges that wait for the answer of the target: made once, and answered whatever comes of them. */
export class WaitingCalls {
  readonly #ports: CallPorts
  readonly #perNode = new Map<string, number>()

  constructor(ports: CallPorts) {
    this.#ports = ports
  }

  /** Never rejects, and does not keep the node from saying more. */
  take(upstream: Upstream, signal: AbortSignal): void {
    const { frame, peer, reply } = upstream
    void this.#answer(upstream, signal).then((answer) => {
      if (signal.aborted) return
      const route = { source: MODULES.routerServiceBus, operation: 'response' }
      const content = peer.skerry
        ? cloudAnswerContent({ status: answer.status, headers: answer.headers, body: answer.body.toString('base64') })
        : answer.body.toString('utf8')
      reply(this.#ports.frames.reply(frame, content, route))
    })
  }

  async #answer({ frame, peer }: Upstream, signal: AbortSignal): Promise<WholeAnswer> {
    const { table, gates, tally } = this.#ports
    const { node } = peer
    const live = ruleOfCall(table, frame.route.resource ?? '', node)
    if (!live)
      return refused({
        status: table.isSynced ? 404 : 503,
        code: 'HUB_RULE_NOT_FOUND',
        message: 'no such rule begins at this node',
      })
    const inside = this.#perNode.get(node) ?? 0
    if (inside >= MOST_OF_A_NODE)
      return refused({
        status: 503,
        code: 'HUB_NODE_BUSY',
        message: 'too many calls of this node wait for their answer',
      })
    this.#perNode.set(node, inside + 1)
    try {
      using _inside = gates.enter(live)
      const answer = await this.#call(live, { frame, node, signal })
      tally.delivered(live.key)
      return answer
    } catch (error) {
      const answer = answerTo(error)
      tally.failed(live.key, `node ${node}: ${answer.code}: ${describeError(error).slice(0, 200)}`)
      return refused(answer)
    } finally {
      const left = (this.#perNode.get(node) ?? 1) - 1
      if (left > 0) this.#perNode.set(node, left)
      else this.#perNode.delete(node)
    }
  }

  async #call(
    live: LiveRule,
    { frame, node, signal }: { readonly frame: Frame; readonly node: string; readonly signal: AbortSignal },
  ): Promise<WholeAnswer> {
    const { method, headers, body, deadlineMs } = callIn(frame)
    if (!METHODS.has(method)) throw new CallRefusal({ status: 405, code: 'HUB_CALL_METHOD', message: 'no such method' })
    const bytes = Buffer.from(body, 'base64')
    if (bytes.length > live.settings.maxBodyBytes)
      throw new CallRefusal({
        status: 413,
        code: 'HUB_BODY_TOO_LARGE',
        message: 'the body is larger than the rule allows',
      })
    const topic = live.rule.spec.sourceResource['target_url'] ?? ''
    const origin = originHeaders(live, { node, topic, message: frame.header.msg_id })
    const request = { method, headers: { ...forwardedHeaders(dictOf(headers)), ...origin }, body: bytes }
    const most = live.settings.timeout.milliseconds
    const deadline = ms(Math.min(most, deadlineMs ?? most))
    return await this.#ports.targets.call(live, request, { deadline, signal, mostBytes: MOST_ANSWER, isFresh: true })
  }
}

/** What an original edge sends has no form of its own: the body of a POST. */
function callIn({ content }: Frame) {
  const call = parseCloudCall(content)
  if (call) return call
  const text = typeof content === 'string' ? content : ''
  return { method: 'POST', headers: {}, body: text, wait: true, deadlineMs: seconds(10).milliseconds }
}

function answerTo(error: unknown): CallerAnswer {
  if (error instanceof CallRefusal) return error.answer
  if (error instanceof DeadlineError)
    return { status: 504, code: error.code, message: 'the target has not answered in time' }
  const code = error instanceof SkerryError ? error.code : 'HUB_TARGET_UNREACHABLE'
  return { status: 502, code, message: 'the target cannot be reached, or its answer is no good' }
}

function refused({ status, code, message }: CallerAnswer): WholeAnswer {
  const body = Buffer.from(`${JSON.stringify({ code, message })}\n`)
  return { status, headers: { 'content-type': ['application/json'], [SERVICE_ERROR_HEADER]: [code] }, body }
}
