import type { JsonObject } from '../../../schemas/index.ts'
import type { ContainerState } from '../cri/runtime.ts'
import { parsePod } from '../pod/parse-pod.ts'
import type { Pod } from '../pod/pod.ts'
import type { ContainerView, PodView } from '../state/pod-view.ts'

/** `shop/till` with one container `app`, and what a test adds. */
export function aPod(spec: JsonObject = {}, metadata: JsonObject = {}): Pod {
  const parsed = parsePod({
    metadata: { name: 'till', namespace: 'shop', uid: 'u-1', ...metadata },
    spec: { containers: [{ name: 'app', image: 'till:1' }], ...spec },
  })
  if ('pod' in parsed) return parsed.pod
  throw new RangeError(parsed.refusal)
}

export interface ContainerFacts {
  readonly state: ContainerState
  readonly sandbox?: string
  readonly attempt?: number
  readonly exitCode?: number
  readonly startedAt?: number
  readonly finishedAt?: number
  readonly annotations?: Readonly<Record<string, string>>
}

/** A container as a runtime has it; its id is its name and attempt. */
export function aContainer(name: string, facts: ContainerFacts): ContainerView {
  const {
    state,
    sandbox = 's-0',
    attempt = 0,
    exitCode = 0,
    startedAt = 1000,
    finishedAt = 0,
    annotations = {},
  } = facts
  return {
    id: `${name}-${attempt}`,
    metadata: { name, attempt },
    ...{ sandbox, state, exitCode, startedAt, finishedAt, annotations },
    ...{ image: 'till:1', imageRef: 'sha256:1', createdAt: 1000 + attempt, labels: {}, logPath: '' },
    ...{ reason: '', message: '' },
  }
}

export interface SandboxFacts {
  readonly id: string
  readonly isReady: boolean
}

/** Newest first, as lists of a runtime are read. */
export function aView(sandboxes: readonly SandboxFacts[], containers: readonly ContainerView[] = []): PodView {
  return {
    ...{ uid: 'u-1', name: 'till', namespace: 'shop' },
    sandboxes: sandboxes.map(({ id, isReady }, index) => ({
      ...{ id, isReady, createdAt: 1000 - index, labels: {}, annotations: {}, handler: '', ips: ['10.0.0.9'] },
      metadata: { name: 'till', namespace: 'shop', uid: 'u-1', attempt: sandboxes.length - 1 - index },
    })),
    containers: [...containers].sort((a, b) => b.createdAt - a.createdAt),
  }
}
