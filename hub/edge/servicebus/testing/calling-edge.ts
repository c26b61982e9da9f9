import { setImmediate as turn } from 'node:timers/promises'
import { Doorkeeper } from '../../../../platform/bus/mqtt/index.ts'
import { silentLogger } from '../../../../platform/log/index.ts'
import { systemClock } from '../../../../platform/time/index.ts'
import type { Anonymous, MqttClientConfig } from '../../../../schemas/config/index.ts'
import type { Frame, Json } from '../../../../schemas/index.ts'
import { type BenchOptions, type EdgeBench, startEdge } from '../../testing/edge-bench.ts'

export interface CallingOptions extends BenchOptions {
  readonly anonymous?: Anonymous
  readonly clients?: readonly MqttClientConfig[]
  readonly passwordFile?: string
  readonly origins?: readonly string[]
  readonly maxConcurrent?: number
}

export interface CallingEdge extends EdgeBench {
  /** Virtual time goes on while something on real sockets is under way. */
  until<T>(work: Promise<T>, stepMs?: number): Promise<T>
  /** A rule `shop/<name>` of this node that begins at its ServiceBus. */
  offer(name: string, targetUrl: string): Promise<void>
  withdraw(name: string): Promise<void>
  call(path: string, options?: RequestInit): Promise<{ status: number; headers: Headers; text: string }>
  /** Calls that came up. */
  calls(): readonly Frame[]
}

/** An edge on virtual time, with a ServiceBus on a real port. */
export async function startCalling(options: CallingOptions = {}): Promise<CallingEdge> {
  const { anonymous = 'full', clients = [], passwordFile, origins = [], maxConcurrent = 64 } = options
  const access = new Doorkeeper({
    ...{ anonymous, anonymousRemote: 'none', clients, clock: systemClock, log: silentLogger },
    passwordFile: passwordFile === undefined ? undefined : { path: passwordFile, isNamed: true },
  })
  const listener = { host: '127.0.0.1', port: 0, origins, maxConcurrent, access }
  const edge = await startEdge({ ...options, listener })
  await edge.advance(100)
  edge.cloud.forget()
  const until = async <T>(work: Promise<T>, stepMs = 1): Promise<T> => {
    let isDone = false
    const settle = () => {
      isDone = true
    }
    work.then(settle, settle)
    while (!isDone) {
      await edge.advance(stepMs)
      await turn()
    }
    return work
  }
  const rule = async (operation: 'insert' | 'delete', name: string, targetUrl: string) => {
    edge.cloud.say(
      { source: 'edgecontroller', group: 'resource', operation, resource: `shop/rule/${name}` },
      ruleOf(name, targetUrl),
    )
    await edge.advance(10)
  }
  return {
    ...edge,
    until,
    offer: (name, targetUrl) => rule('insert', name, targetUrl),
    withdraw: (name) => rule('delete', name, 'http://x'),
    call: (path, init = {}) =>
      until(
        fetch(`${edge.serviceBus.url}${path}`, { redirect: 'manual', ...init }).then(async (response) => ({
          status: response.status,
          headers: response.headers,
          text: await response.text(),
        })),
      ),
    calls: () =>
      edge.cloud.received.filter(({ route }) => route.source === 'servicebus' && route.operation === 'upload'),
  }
}

/** What the target answered, as the Router sends it. */
export function answerFor(
  edge: EdgeBench,
  asked: Frame,
  content: Json,
  operation: 'response' | 'error' = 'response',
): Frame {
  const header = {
    msg_id: `answer-${asked.header.msg_id}`,
    parent_msg_id: asked.header.msg_id,
    timestamp: edge.clock.now(),
  }
  return { header, route: { source: 'router', group: 'user', operation }, content }
}

function ruleOf(name: string, targetUrl: string): Json {
  return {
    apiVersion: 'rules.kubeedge.io/v1',
    kind: 'Rule',
    metadata: { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion: '1' },
    spec: {
      source: 'here',
      sourceResource: { node_name: 'edge-1', target_url: targetUrl },
      target: 'rest',
      targetResource: { resource: targetUrl },
    },
  }
}
