import { describeError, SkerryError } from '../../../../platform/lifecycle/index.ts'
import { type Clock, type Duration, ms, seconds } from '../../../../platform/time/index.ts'
import { parseCloudCall } from '../../../../schemas/index.ts'
import { type AnywherePorts, publishAnywhere } from '../replicas/publish-anywhere.ts'
import { answerOf } from '../router-error.ts'
import type { LiveRule } from '../rules/live-rule.ts'
import { forwardedHeaders, type HeaderMap } from '../serving/headers.ts'
import type { RestTargets } from '../targets/rest-target.ts'
import type { Attempt } from './lanes.ts'
import type { Letter } from './spool.ts'

export interface DeliverPorts extends AnywherePorts {
  readonly targets: RestTargets
  readonly clock: Clock
}

/** One attempt to deliver what came from a node to the target of a rule. */
export async function deliver(
  ports: DeliverPorts,
  live: LiveRule,
  { node, letter, signal }: { readonly node: string; readonly letter: Letter; readonly signal: AbortSignal },
): Promise<Attempt> {
  try {
    return live.target.spec.ruleEndpointType === 'eventbus'
      ? await publish(ports, live, { node, letter, signal })
      : await post(ports, live, { node, letter, signal })
  } catch (error) {
    signal.throwIfAborted()
    const code = error instanceof SkerryError ? error.code : ''
    const { code: ofNode, message } = answerOf(error)
    // Its broker may take it later.
    if (code === 'HUB_NODE_REFUSED' && ofNode !== 'HUB_PUBLISH_FAILED') return { outcome: 'final', reason: message }
    if (code === 'HUB_TARGET_REFUSED') return { outcome: 'final', reason: describeError(error) }
    return { outcome: 'later', reason: describeError(error).slice(0, 300) }
  }
}

interface Sent {
  readonly node: string
  readonly letter: Letter
  readonly signal: AbortSignal
}

async function publish(ports: DeliverPorts, { rule, settings }: LiveRule, sent: Sent): Promise<Attempt> {
  const { topic = '', node_name: node = sent.node } = rule.spec.targetResource
  const { payload } = sent.letter
  const options = { wait: 'delivered', deadline: settings.timeout, signal: sent.signal } as const
  await publishAnywhere(ports, { node, topic, payload }, options)
  return { outcome: 'delivered' }
}

async function post(
  { targets, clock }: DeliverPorts,
  live: LiveRule,
  { node, letter, signal }: Sent,
): Promise<Attempt> {
  const { topic, message, call, payload } = letter
  const head = call === '' ? undefined : callHead(call)
  const request = {
    method: head?.method ?? 'POST',
    headers: {
      'content-type': ['application/octet-stream'],
      ...head?.headers,
      ...originHeaders(live, { node, topic, message }),
    },
    body: payload,
  }
  const options = { deadline: live.settings.timeout, signal, mostBytes: 0 }
  const { status, headers } = await targets.call(live, request, options)
  if (status >= 200 && status < 300) return { outcome: 'delivered' }
  const reason = `the target answered with ${status}`
  if (!isForLater(status)) return { outcome: 'final', reason }
  const after = retryAfter(headers['retry-after']?.[0], clock)
  return { outcome: 'later', reason, ...(after ? { after } : {}) }
}

/**
 * From where a request of a rule comes. `x-skerry-message-id` is the same where a message is sent again. Both texts are the node's,
 * and what cannot stand in a header would be tried again for days.
 */
export function originHeaders(
  { key }: LiveRule,
  { node, topic, message }: { readonly node: string; readonly topic: string; readonly message: string },
): HeaderMap {
  return {
    'x-skerry-message-id': [encodeURIComponent(message.toWellFormed()).slice(0, 256)],
    'x-skerry-node': [node],
    'x-skerry-rule': [key],
    'x-skerry-topic': [encodeURI(topic.toWellFormed()).slice(0, 4096)],
  }
}

/** 408, 425 and 429 say so themselves. A redirection is followed nowhere, so that it stays one. */
function isForLater(status: number): boolean {
  return status >= 500 || status === 408 || status === 425 || status === 429
}

function retryAfter(text: string | undefined, clock: Clock): Duration | undefined {
  if (text === undefined) return undefined
  const wait = /^\d{1,6}$/.test(text) ? seconds(Number(text)) : ms(Date.parse(text) - clock.now())
  return wait.milliseconds > 0 ? wait : undefined
}

/** As it was stored. */
function callHead(call: string): { readonly method: string; readonly headers: HeaderMap } | undefined {
  const parsed = parseCloudCall(JSON.parse(call))
  return parsed && { method: parsed.method, headers: forwardedHeaders(dictOf(parsed.headers)) }
}

export function dictOf(headers: HeaderMap): Record<string, string[]> {
  return Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, [...values]]))
}
