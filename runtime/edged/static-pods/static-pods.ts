import type { Bus } from '../../../platform/bus/index.ts'
import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import type { Scope } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, type Random, seconds } from '../../../platform/time/index.ts'
import type { Pod } from '../pod/pod.ts'
import { FolderWatch } from './folder-watch.ts'
import { ManifestFolder } from './manifest-folder.ts'
import { Mirrors } from './mirrors.ts'

export interface StaticPodPorts {
  readonly bus: Bus
  /** Of files with a pod each; undefined: this node has none. */
  readonly folder: string | undefined
  readonly nodeName: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
}

/** Pods from files of this node, which run with or without a cloud. */
export interface StaticPods {
  /** Settles when the folder was read, or cannot be. */
  start(scope: Scope): Promise<void>
  list(): readonly Pod[]
  /** False: the folder could not be read since the start, so nobody knows what has no file any more. */
  readonly isComplete: boolean
  /** Told after a change of `list`. */
  onChange(handler: () => void): Disposable
  /** What the cloud shows of them. */
  readonly mirrors: Pick<Mirrors, 'uidOf'>
}

/** As a kubelet looks, whatever the machine says of changes. */
const RESCAN = seconds(20)

export function createStaticPods(ports: StaticPodPorts): StaticPods {
  const { folder: path, nodeName, clock, log, metrics = silentMetrics } = ports
  const refusals = metrics.counter({
    name: 'skerry_edged_static_pod_refusals_total',
    help: 'Files of static pods that were read and are not used.',
  })
  const folder = path === undefined ? undefined : new ManifestFolder({ folder: path, nodeName, log, refusals })
  const handlers = new Set<() => void>()
  const known = (): ReadonlyMap<string, Pod> | undefined => {
    if (!folder) return new Map()
    return folder.isRead ? folder.pods : undefined
  }
  const mirrors = new Mirrors({ ...ports, pods: known })
  return {
    mirrors,
    list: () => [...(known()?.values() ?? [])],
    get isComplete() {
      return known() !== undefined
    },
    onChange(handler) {
      handlers.add(handler)
      return { [Symbol.dispose]: () => void handlers.delete(handler) }
    },
    async start(scope) {
      if (folder && path !== undefined) {
        await follow(folder, path, clock, scope, () => {
          mirrors.look()
          for (const handler of handlers) handler()
        })
      }
      mirrors.start(scope)
    },
  }
}

/** Scans at once, then after each change and from time to time, never two at a time. */
async function follow(folder: ManifestFolder, path: string, clock: Clock, scope: Scope, onChange: () => void) {
  let hint = Promise.withResolvers<void>()
  const watch = scope.use(new FolderWatch(path, clock, () => hint.resolve()))
  watch.renew()
  await folder.scan()
  scope.run(async (signal) => {
    while (!signal.aborted) {
      const rested = new AbortController()
      const stop = () => rested.abort()
      signal.addEventListener('abort', stop, { once: true })
      await Promise.race([hint.promise, clock.sleep(RESCAN, rested.signal).catch(() => undefined)])
      rested.abort()
      signal.removeEventListener('abort', stop)
      if (signal.aborted) return
      hint = Promise.withResolvers<void>()
      watch.renew()
      if (await folder.scan()) onChange()
    }
  })
}
