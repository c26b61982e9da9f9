import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createMetrics } from '../../../../platform/health/index.ts'
import { runModules } from '../../../../platform/lifecycle/index.ts'
import { silentLogger } from '../../../../platform/log/index.ts'
import { openStore } from '../../../../platform/store/index.ts'
import { type Clock, seconds, systemClock } from '../../../../platform/time/index.ts'
import type { FakeClock } from '../../../../platform/time/testing/index.ts'
import type { Frame, Rule, RuleEndpoint } from '../../../../schemas/index.ts'
import { temporaryFolder } from '../../../../tools/testing/temporary-folder.ts'
import type { Tunnels } from '../../../tunnel/index.ts'
import type { Access } from '../../access/access.ts'
import { ClientAuthority } from '../../access/client-authority.ts'
import { createInformer } from '../../kubernetes/informer.ts'
import type { ResourceType } from '../../kubernetes/kubernetes.ts'
import { LEASES, RULE_ENDPOINTS, RULES } from '../../kubernetes/resources.ts'
import { FakeKubernetes } from '../../testing/fake-kubernetes.ts'
import { type CloudHarness, countingRandom, type ScriptedEdge, startCloud } from '../../testing/harness.ts'
import { createRouterModule, type RouterModule } from '../module.ts'
import { routerStoreDomain } from '../upward/spool-store.ts'
import { ENDPOINTS } from './rules.ts'

export interface Answered {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface CallText {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
  readonly token?: string
}

export interface RouterHarness {
  readonly cloud: CloudHarness
  readonly kubernetes: FakeKubernetes
  readonly router: RouterModule
  readonly url: string
  /** What callers may: `<user> <rule>` of each who may not. */
  readonly forbidden: Set<string>
  apply(object: Rule | RuleEndpoint): Promise<void>
  remove(object: Rule | RuleEndpoint): Promise<void>
  rule(name?: string): Promise<Rule | undefined>
  call(path: string, call?: CallText): Promise<Answered>
  /** A connected edge that answers what it is asked. */
  edge(node: string, answer: (frame: Frame) => Answer | undefined, isSkerry?: boolean): ScriptedEdge
  metrics(): Promise<string>
  stop(): Promise<void>
}

export interface Answer {
  readonly content: Frame['content']
  readonly operation?: string
}

export interface RouterSetting {
  readonly kubernetes?: FakeKubernetes
  readonly folder?: string
  readonly tunnels?: Tunnels
  readonly clock?: Clock
  /** Virtual time for the hub as well; whoever gives it moves it. */
  readonly virtual?: FakeClock
}

/** The Router as a module, over plain HTTP on loopback: a real store and clock, hub and Kubernetes as in the tests of CloudHub. */
export async function startRouter(
  t: TestContext,
  rules: readonly Rule[],
  { kubernetes = new FakeKubernetes(), folder, tunnels, virtual, clock = virtual ?? systemClock }: RouterSetting = {},
): Promise<RouterHarness> {
  const cloud = await startCloud(kubernetes, virtual)
  const metrics = createMetrics()
  const store = await openStore(join(folder ?? (await temporaryFolder()), 'router.db'), [routerStoreDomain], {
    clock,
    log: silentLogger,
  })
  const log = silentLogger
  const ports = { kubernetes, clock, random: countingRandom(), log }
  const informers = {
    rules: createInformer(RULES, {}, ports),
    endpoints: createInformer(RULE_ENDPOINTS, {}, ports),
    sessionLeases: createInformer(LEASES, { namespace: 'kubeedge' }, ports),
  }
  const forbidden = new Set<string>()
  const router = createRouterModule(
    { host: '127.0.0.1', port: 0, plainHttp: true },
    {
      ...{ ...ports, ...informers, hub: cloud.hub, store, metrics, access: accessOf(forbidden) },
      ...{ authority: noAuthority, clientAuthority: new ClientAuthority() },
      ...(tunnels ? { tunnels } : {}),
    },
  )
  const stopping = new AbortController()
  const following = Object.values(informers).map((informer) => informer.run(stopping.signal))
  const before = await kubernetes.list(RULE_ENDPOINTS, {})
  if (before.items.length === 0) for (const each of ENDPOINTS) await kubernetes.create(RULE_ENDPOINTS, 'shop', each)
  for (const each of rules) await kubernetes.create(RULES, 'shop', each)
  const running = await runModules([{ module: router }], {
    log,
    clock,
    random: countingRandom(),
    grace: seconds(10),
  })
  await Promise.all(Object.values(informers).map((informer) => informer.synced()))
  let stopped: Promise<void> | undefined
  const stop = async () => {
    await running.stop()
    stopping.abort(new Error('stop'))
    kubernetes.dropWatches()
    await Promise.all(following)
    await cloud.stop()
    await store[Symbol.asyncDispose]()
  }
  t.after(() => (stopped ??= stop()))
  const url = `http://127.0.0.1:${router.port}`
  const typeOf = (object: Rule | RuleEndpoint): ResourceType => (object.kind === 'Rule' ? RULES : RULE_ENDPOINTS)
  /** Until the informers have seen it. */
  const seen = async (isSeen: () => boolean) => {
    while (!isSeen()) await new Promise((resolve) => setImmediate(resolve))
  }
  const keyOf = ({ metadata }: Rule | RuleEndpoint) => ({ namespace: 'shop', name: metadata.name })
  const known = (object: Rule | RuleEndpoint) =>
    object.kind === 'Rule' ? informers.rules.get(keyOf(object)) : informers.endpoints.get(keyOf(object))
  return {
    ...{ cloud, kubernetes, router, url, forbidden },
    async apply(object) {
      const at = keyOf(object)
      const present = await kubernetes.get(typeOf(object), at)
      const written = present
        ? await kubernetes.patch(
            typeOf(object),
            at,
            { metadata: { annotations: object.metadata.annotations ?? {} }, spec: object.spec },
            { type: 'merge' },
          )
        : await kubernetes.create(typeOf(object), 'shop', object)
      await seen(() => known(object)?.metadata.resourceVersion === written.metadata.resourceVersion)
    },
    async remove(object) {
      await kubernetes.delete(typeOf(object), keyOf(object))
      await seen(() => known(object) === undefined)
    },
    rule: (name = 'lights') => kubernetes.get(RULES, { namespace: 'shop', name }),
    call: (path, call) => callAt(router.port, path, call),
    edge(node, answer, isSkerry = true) {
      const edge: ScriptedEdge = cloud.connect(node, { skerry: isSkerry })
      const { received } = edge
      const push = received.push.bind(received)
      received.push = (...frames) => {
        for (const frame of frames) {
          const given = frame.route.group === 'user' ? answer(frame) : undefined
          if (given)
            queueMicrotask(() => edge.answer(frame, given.content, { operation: given.operation ?? 'response' }))
        }
        return push(...frames)
      }
      return edge
    },
    metrics: () => metrics.text(),
    stop: () => (stopped ??= stop()),
  }
}

/** `ann` and `bob` are known by tokens that are their names. */
function accessOf(forbidden: ReadonlySet<string>): Access {
  return {
    authenticate: async ({ token }) => (token === 'ann' || token === 'bob' ? { name: token, groups: [] } : undefined),
    authorize: async ({ name }, wanted) => {
      const rule = 'resource' in wanted ? wanted.resource.name : ''
      return { allowed: !forbidden.has(`${name} ${rule}`), reason: '' }
    },
  }
}

const noAuthority = {
  get current(): never {
    throw new Error('plain HTTP needs no certificate')
  },
}

export function callAt(
  port: number,
  path: string,
  { method = 'POST', headers = {}, body, token = 'ann' }: CallText = {},
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const authorization = token === '' ? {} : { authorization: `Bearer ${token}` }
    const call = httpRequest(
      { host: '127.0.0.1', port, path, method, headers: { ...authorization, ...headers }, agent: false },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('error', reject)
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }),
        )
      },
    )
    call.on('error', reject)
    call.end(body)
  })
}
