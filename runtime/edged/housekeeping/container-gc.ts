import { lstat, rm } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { type Counter, type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, type Duration, minutes } from '../../../platform/time/index.ts'
import type { Container, ContainerRuntime, Sandbox } from '../cri/runtime.ts'
import type { Places } from '../places.ts'
import { LABELS } from '../state/labels.ts'
import { isMissing, namesIn, removeLogs } from './log-files.ts'
import { spareContainers, spareSandboxes } from './spare.ts'

export interface ContainerGcPorts {
  readonly runtime: ContainerRuntime
  /** The value of the owner label of this node's sandboxes and containers. */
  readonly owner: string
  /** Its folder of logs has to be Edged's alone: what is called like a pod there and is none is removed. */
  readonly places: Places
  /** Uids of pods that are to be or still end; undefined while nobody knows, when nothing is removed. */
  readonly pods: () => ReadonlySet<string> | undefined
  readonly clock: Clock
  readonly log: Logger
  readonly metrics?: Metrics
}

export interface ContainerGcOptions {
  /** Ended containers that are kept of each container of a pod, the newest: `kubectl logs --previous` shows one. */
  readonly keepOfEach: number
  /** Most ended containers that are kept in all; beyond it the oldest go, and among them those first that a newer one followed. */
  readonly keepInAll: number
  /** Nothing that is younger is removed. */
  readonly minimumAge: Duration
}

const CONTAINER_GC_DEFAULTS: ContainerGcOptions = { keepOfEach: 1, keepInAll: 500, minimumAge: minutes(1) }

export interface ContainerGc {
  /**
   * One pass. Takes away ended containers beyond what is kept, with their logs; sandboxes that have ended and hold none; log folders
   * of pods that are gone. What cannot be removed is counted, logged and left to the next pass. Rejects with an UnavailableError
   * while the runtime does not answer.
   */
  run(signal: AbortSignal): Promise<Removed>
}

export interface Removed {
  readonly containers: number
  readonly sandboxes: number
  readonly logFolders: number
}

export function createContainerGc(ports: ContainerGcPorts, options: Partial<ContainerGcOptions> = {}): ContainerGc {
  return new Sweeper(ports, { ...CONTAINER_GC_DEFAULTS, ...options })
}

type What = 'container' | 'sandbox' | 'logs'

class Sweeper implements ContainerGc {
  readonly #ports: ContainerGcPorts
  readonly #options: ContainerGcOptions
  readonly #counters: Readonly<Record<'removed' | 'failed', Counter>>

  constructor(ports: ContainerGcPorts, options: ContainerGcOptions) {
    this.#ports = ports
    this.#options = options
    this.#counters = countersOf(ports.metrics ?? silentMetrics)
  }

  async run(signal: AbortSignal): Promise<Removed> {
    const { runtime, owner, pods, clock } = this.#ports
    const labels = { [LABELS.owner]: owner }
    // What is there is looked up before what ought to be: a pod that comes meanwhile is in the second.
    const logs = await namesIn(this.#ports.places.logs)
    const containers = await runtime.listContainers(labels, signal)
    const living = pods()
    if (!living) return { containers: 0, sandboxes: 0, logFolders: 0 }
    const old = clock.now() - this.#options.minimumAge.milliseconds

    const spare = spareContainers(containers, living, { ...this.#options, createdBefore: old })
    const gone = await this.#each({ what: 'container', signal }, spare, (container) =>
      this.#removeContainer(container, containers, signal),
    )
    const left = containers.filter(({ id }) => !gone.has(id))
    // Of all owners: a log folder may be another's.
    const sandboxes = await runtime.listSandboxes({}, signal)
    const ours = sandboxes.filter((each) => each.labels[LABELS.owner] === owner)
    const ended = spareSandboxes(ours, left, living, old)
    const closed = await this.#each({ what: 'sandbox', signal }, ended, (sandbox) =>
      this.#removeSandbox(sandbox, signal),
    )
    const kept = sandboxes.filter(({ id }) => !closed.has(id)).map(({ metadata }) => metadata.uid)
    const known = new Set([...living, ...kept, ...left.map(({ labels: of }) => of[LABELS.podUid] ?? '')])
    const logFolders = await this.#each({ what: 'logs', signal }, this.#foldersOfGone(logs, known), (folder) =>
      this.#removeFolder(folder.id, old),
    )
    return { containers: gone.size, sandboxes: closed.size, logFolders: logFolders.size }
  }

  /** The ids of those that are gone then. */
  async #each<T extends { readonly id: string }>(
    { what, signal }: { readonly what: What; readonly signal: AbortSignal },
    items: readonly T[],
    remove: (item: T) => Promise<boolean>,
  ): Promise<ReadonlySet<string>> {
    const gone = new Set<string>()
    for (const item of items) {
      signal.throwIfAborted()
      try {
        if (!(await remove(item))) continue
        gone.add(item.id)
        this.#counters.removed.add(1, { what })
      } catch (error) {
        if (signal.aborted || error instanceof UnavailableError) throw error
        this.#counters.failed.add(1, { what })
        this.#ports.log.warn('What is of no use any more cannot be removed', { what, id: item.id, error })
      }
    }
    return gone
  }

  /** Logs first: without the container nobody would know of them. */
  async #removeContainer(container: Container, all: readonly Container[], signal: AbortSignal): Promise<boolean> {
    const path = await this.#logOf(container, signal)
    const others = all.filter((other) => other.id !== container.id && isSameContainer(other, container))
    const isShared = async () => {
      for (const other of others) if ((await this.#logOf(other, signal)) === path) return true
      return false
    }
    if (path !== undefined && !(await isShared())) await removeLogs(path)
    await this.#ports.runtime.removeContainer(container.id, signal)
    return true
  }

  /** Nothing for one that is not in the folder of logs. */
  async #logOf({ id }: Container, signal: AbortSignal): Promise<string | undefined> {
    const { runtime, places } = this.#ports
    const path = (await runtime.containerStatus(id, signal))?.logPath ?? ''
    return path.startsWith(places.logs + sep) && !path.split(sep).includes('..') ? path : undefined
  }

  /** Stopped once more: its network goes then, whatever became of it before. */
  async #removeSandbox({ id }: Sandbox, signal: AbortSignal): Promise<boolean> {
    await this.#ports.runtime.stopSandbox(id, signal)
    await this.#ports.runtime.removeSandbox(id, signal)
    return true
  }

  #foldersOfGone(names: readonly string[], known: ReadonlySet<string>) {
    return names.flatMap((name) => {
      const [, uid] = /^[^_]+_[^_]+_([^_]+)$/.exec(name) ?? []
      return uid === undefined || known.has(uid) ? [] : [{ id: join(this.#ports.places.logs, name) }]
    })
  }

  async #removeFolder(path: string, changedBefore: number): Promise<boolean> {
    try {
      const found = await lstat(path)
      if (!found.isDirectory() || found.mtimeMs > changedBefore) return false
      await rm(path, { recursive: true })
      return true
    } catch (error) {
      if (isMissing(error)) return false
      throw error
    }
  }
}

function isSameContainer(a: Container, b: Container): boolean {
  return a.labels[LABELS.podUid] === b.labels[LABELS.podUid] && a.metadata.name === b.metadata.name
}

function countersOf(metrics: Metrics) {
  const labels = ['what']
  return {
    removed: metrics.counter({
      name: 'skerry_edged_removed_total',
      help: 'Ended containers, ended sandboxes and log folders of pods that were removed because nobody needs them.',
      labels,
    }),
    failed: metrics.counter({
      name: 'skerry_edged_remove_failures_total',
      help: 'Tries to remove one of them that failed; it is tried again.',
      labels,
    }),
  }
}
