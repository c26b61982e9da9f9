import type { Bus } from '../../../platform/bus/index.ts'
import { type AssignedPod, assignedPods, listed } from '../../../schemas/index.ts'
import { textIn } from '../pod/json.ts'
import { type ParsedPod, parsePod } from '../pod/parse-pod.ts'
import { type Pod, type PodIdentity, podKey } from '../pod/pod.ts'
import { isMirrorPod } from '../static-pods/mirror-pod.ts'

/** A pod that this node has to have. */
export interface Desired {
  readonly parsed: ParsedPod
  /** The cloud wants it to end. */
  readonly isDeleted: boolean
  /** The uid under which its status is reported: that of its mirror, for a pod from a file; absent while there is none. */
  readonly reportAs: string | undefined
}

/** Pods from a folder of this node. */
export interface StaticSource {
  list(): readonly Pod[]
  /** False: nobody knows yet what has no file any more. */
  readonly isComplete: boolean
  onChange(handler: () => void): Disposable
  /** What the cloud shows of a pod from a file as it is now, by key of the bus. */
  readonly mirrors: { uidOf(key: string): string | undefined }
}

export interface DesiredPodsPorts {
  readonly bus: Bus
  readonly files?: StaticSource
  /** What is wanted of a pod is another thing than before. */
  readonly onChange: (uid: string) => void
  /** From now on it is known what is not wanted. */
  readonly onComplete: () => void
}

/** What this node has to run: what the cloud assigned, and what its own files say. By uid. */
export class DesiredPods implements Disposable {
  readonly #ports: DesiredPodsPorts
  /** As assigned, by key of the bus. */
  readonly #assigned = new Map<string, { readonly assigned: AssignedPod; readonly parsed: ParsedPod }>()
  readonly #watches: Disposable[] = []
  #static: ReadonlyMap<string, Pod> = new Map()

  constructor(ports: DesiredPodsPorts) {
    this.#ports = ports
  }

  /** What is not here is not wanted; until then nobody knows. */
  get isComplete(): boolean {
    const { bus, files } = this.#ports
    return bus.get(listed, 'pods') === true && (files?.isComplete ?? true)
  }

  start(): void {
    const { bus, files, onComplete } = this.#ports
    this.#watches.push(bus.watch(listed, ({ key }) => (key === 'pods' ? onComplete() : undefined)))
    if (files) {
      this.#readFiles()
      this.#watches.push(files.onChange(() => this.#readFiles()))
    }
    this.#watches.push(bus.watch(assignedPods, ({ key, value }) => this.#take(key, value)))
  }

  get(uid: string): Desired | undefined {
    const pod = this.#static.get(uid)
    if (pod) return { parsed: { pod }, isDeleted: false, reportAs: this.#ports.files?.mirrors.uidOf(podKey(pod)) }
    for (const { assigned, parsed } of this.#assigned.values()) {
      if (assigned.uid === uid && !isMirrorPod(assigned.pod))
        return { parsed, isDeleted: isDeleted(assigned), reportAs: uid }
    }
    return undefined
  }

  uids(): readonly string[] {
    const assigned = [...this.#assigned.values()].filter((each) => !isMirrorPod(each.assigned.pod))
    return [...this.#static.keys(), ...assigned.map((each) => each.assigned.uid)]
  }

  /** All that can be run here. */
  pods(): readonly Pod[] {
    return this.uids().flatMap((uid) => {
      const parsed = this.get(uid)?.parsed
      return parsed && 'pod' in parsed ? [parsed.pod] : []
    })
  }

  [Symbol.dispose](): void {
    for (const watch of this.#watches.splice(0)) watch[Symbol.dispose]()
  }

  #take(key: string, assigned: AssignedPod | undefined): void {
    const before = this.#assigned.get(key)?.assigned
    if (assigned) this.#assigned.set(key, { assigned, parsed: parsePod(assigned.pod, { uid: assigned.uid }) })
    else this.#assigned.delete(key)
    const uids = new Set([before?.uid, assigned?.uid])
    for (const [uid, pod] of this.#static) if (podKey(pod) === key) uids.add(uid)
    for (const uid of uids) if (uid !== undefined) this.#ports.onChange(uid)
  }

  #readFiles(): void {
    const before = this.#static
    this.#static = new Map((this.#ports.files?.list() ?? []).map((pod) => [pod.uid, pod]))
    this.#ports.onComplete()
    for (const uid of new Set([...before.keys(), ...this.#static.keys()])) {
      if (before.get(uid) !== this.#static.get(uid)) this.#ports.onChange(uid)
    }
  }
}

function isDeleted({ pod }: AssignedPod): boolean {
  return textIn(pod['metadata'], 'deletionTimestamp') !== undefined
}

export function identityOf(parsed: ParsedPod): PodIdentity {
  return 'pod' in parsed ? parsed.pod : parsed.identity
}
