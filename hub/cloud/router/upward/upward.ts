import { type Clock, seconds, withDeadline } from '../../../../platform/time/index.ts'
import { cloudCallContent, MODULES, parseCloudCall } from '../../../../schemas/index.ts'
import type { UserMessage, UserOutcome } from '../../cloudhub/delivery.ts'
import type { LiveRule } from '../rules/live-rule.ts'
import type { RuleTable } from '../rules/rule-table.ts'
import type { Tally } from '../status/tally.ts'
import type { Lanes } from './lanes.ts'
import type { Part, Receipts } from './receipts.ts'
import type { Letter, Spool } from './spool.ts'

export interface UpwardPorts {
  readonly table: RuleTable
  readonly spool: Spool
  readonly lanes: Lanes
  readonly receipts: Receipts
  readonly tally: Tally
  readonly clock: Clock
}

/** The rules are listed within this, or the edge says it again. */
const RULES_WITHIN = seconds(10)
const FULL = 'the queue of the rule is full (skerry.dev/queue-messages, and 64 MiB)'

/**
 * Takes what edges say to rules. Rejects where it cannot, and the edge says it again. A message that is here already is not taken twice.
 */
export async function takeUpward(ports: UpwardPorts, message: UserMessage): Promise<UserOutcome> {
  const { table, spool, lanes, receipts, clock } = ports
  const { node, skerry } = message.peer
  const known = receipts.state(node, message.id)
  if (known) return known
  if (!table.isSynced) await withDeadline(clock, RULES_WITHIN, undefined, (signal) => table.synced(signal))
  const isCall = message.source === MODULES.serviceBus
  const rules = isCall ? calledRule(table, message) : table.heard(node, message.topic)
  const letter = isCall ? callLetter(message, rules[0]) : topicLetter(message)
  if (!letter || rules.length === 0) return 'no-rule'
  const parts = rules.map(({ key }) => ({ node, message: message.id, rule: key, isCall }))
  const fitting = rules.filter(({ settings }) => letter.payload.length <= settings.maxBodyBytes)
  const waiting = fitting.length > 0 ? await spool.put(keysOf(fitting), node, letter) : []
  // An original edge is told nothing.
  if (skerry) receipts.taken(parts)
  const tooLarge = rules.filter((rule) => !fitting.includes(rule))
  refuse(ports, { node, letter, parts: parts.filter(({ rule }) => keysOf(tooLarge).includes(rule)) })
  lanes.add(waiting)
  for (const { key, settings } of fitting) {
    const isOver = () => lanes.depth(key) > settings.queueMessages || spool.isBeyondShare(key)
    if (isOver()) await lanes.shed(key, isOver, FULL)
  }
  return 'taken'
}

function keysOf(rules: readonly LiveRule[]): readonly string[] {
  return rules.map(({ key }) => key)
}

function refuse(
  { tally, receipts, clock }: UpwardPorts,
  { node, letter, parts }: { readonly node: string; readonly letter: Letter; readonly parts: readonly Part[] },
): void {
  const { topic, message: id, payload } = letter
  const reason = 'larger than the rule allows (skerry.dev/max-body-bytes)'
  for (const part of parts) {
    const dead = { time: clock.now(), node, topic, id, reason, payload }
    const onWritten = () => receipts.settled(part)
    tally.failed(part.rule, `node ${node}, ${topic.slice(0, 200)}: ${reason}`, dead, onWritten)
  }
}

function topicLetter({ topic, payload, id }: UserMessage): Letter {
  return { topic, message: id, call: '', payload }
}

/** A call that an application left at its edge, for which nobody waits. */
function callLetter({ content, id }: UserMessage, live: LiveRule | undefined): Letter | undefined {
  const call = parseCloudCall(content)
  const topic = live?.rule.spec.sourceResource['target_url']
  if (!call || topic === undefined) return undefined
  const head = JSON.stringify(cloudCallContent({ ...call, body: '' }))
  return { topic, message: id, call: head, payload: Buffer.from(call.body, 'base64') }
}

function calledRule(table: RuleTable, { topic, peer }: UserMessage): readonly LiveRule[] {
  const live = ruleOfCall(table, topic, peer.node)
  return live ? [live] : []
}

/** The rule that a resource `<namespace>/rule/<name>` names, where its source is a servicebus of this node. */
export function ruleOfCall(table: RuleTable, resource: string, node: string): LiveRule | undefined {
  const [, namespace, name] = /^([^/]+)\/rule\/([^/]+)$/.exec(resource) ?? []
  const live = namespace === undefined ? table.called(node, resource) : table.live(`${namespace}/${name}`)
  const isOfNode = live?.rule.spec.sourceResource['node_name'] === node
  return isOfNode && live.source.spec.ruleEndpointType === 'servicebus' ? live : undefined
}
