import type { JsonObject } from '../../../../schemas/index.ts'
import { isObject, listIn, textIn } from '../../pod/json.ts'
import type { Pod } from '../../pod/pod.ts'
import type { ContainerView, PodView } from '../../state/pod-view.ts'
import { podOf } from '../../testing/pods.ts'
import { podStatus } from '../pod-status.ts'
import type { StatusInput } from '../status-input.ts'

const START = Date.parse('2026-01-01T00:00:00Z')
export const NOW = Date.parse('2026-01-01T01:00:00Z')

/** A container of the runtime. */
export interface Had {
  readonly name: string
  readonly state: ContainerView['state']
  readonly exitCode?: number
  readonly reason?: string
  readonly attempt?: number
}

export interface Case extends Partial<Pick<StatusInput, 'obstacle' | 'ended' | 'before' | 'now'>> {
  readonly spec?: JsonObject
  readonly metadata?: JsonObject
  readonly status?: JsonObject
  /** The newest first. */
  readonly has?: readonly Had[]
  readonly waiting?: Readonly<Record<string, string>>
  readonly isReady?: boolean
  readonly isStarted?: boolean
  readonly hasNoSandbox?: boolean
  readonly isStatic?: boolean
}

export function podIn({ spec = {}, metadata = {}, status = {}, isStatic = false }: Case): Pod {
  const pod = podOf(spec, metadata, { isStatic })
  return { ...pod, source: { ...pod.source, status } }
}

function viewOf(has: readonly Had[], hasNoSandbox: boolean): PodView {
  const metadata = { name: 'till', namespace: 'shop', uid: 'u-1', attempt: 0 }
  const sandbox = { id: 's-1', metadata, isReady: true, createdAt: START, labels: {}, annotations: {}, handler: '' }
  const containers = has.map(({ name, state, exitCode = 0, reason = '', attempt = 0 }, position) => ({
    ...{ id: `${name}-${attempt}`, metadata: { name, attempt }, image: `docker.io/${name}:1`, imageRef: 'sha256:1' },
    ...{ state, createdAt: NOW - position, labels: {}, annotations: {}, startedAt: START },
    ...{ finishedAt: state === 'exited' ? START + 1000 : 0, exitCode, reason, message: '', logPath: '' },
    sandbox: 's-1',
  }))
  const sandboxes = hasNoSandbox ? [] : [{ ...sandbox, ips: ['10.1.0.2'] }]
  return { uid: 'u-1', name: 'till', namespace: 'shop', sandboxes, containers }
}

export function statusOf(each: Case): JsonObject {
  const { has = [], waiting = {}, isReady = true, isStarted = true, hasNoSandbox = false } = each
  const pod = podIn(each)
  return podStatus({
    ...{ pod, view: viewOf(has, hasNoSandbox), runtimeName: 'containerd' },
    waiting: new Map(Object.entries(waiting).map(([name, reason]) => [name, { reason, message: `about ${name}` }])),
    ...(each.obstacle ? { obstacle: each.obstacle } : {}),
    ...(each.ended ? { ended: each.ended } : {}),
    isEnding: pod.deletion !== undefined,
    resultsOf: () => ({ isStarted, isReady: isStarted && isReady }),
    lastWords: new Map([['app-9', 'out of paper']]),
    hostIps: ['192.168.1.5'],
    before: each.before,
    startedAt: START,
    now: each.now ?? NOW,
  })
}

export function conditionOf(status: JsonObject, type: string): JsonObject {
  const found = listIn(status, 'conditions').find((each) => textIn(each, 'type') === type)
  return isObject(found) ? found : {}
}
