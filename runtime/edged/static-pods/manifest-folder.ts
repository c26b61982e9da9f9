import type { Counter } from '../../../platform/health/index.ts'
import { describeError, hasCode } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Pod, podKey } from '../pod/pod.ts'
import { type ManifestFile, manifestFiles } from './manifest-files.ts'
import { parseManifest } from './parse-manifest.ts'

export interface ManifestFolderPorts {
  readonly folder: string
  readonly nodeName: string
  readonly log: Logger
  readonly refusals: Counter
}

/** A file as it was last read. */
interface Known {
  readonly text: string | undefined
  readonly refusal: string | undefined
  /** Of this text, or of the last one that was a pod: a file that is being written ends nothing. */
  readonly pod: Pod | undefined
}

/** The pods of the files of a folder, as they were at the last scan. */
export class ManifestFolder {
  readonly #ports: ManifestFolderPorts
  #files: ReadonlyMap<string, Known> = new Map()
  #pods: ReadonlyMap<string, Pod> = new Map()
  #failure: string | undefined
  #isRead = false

  constructor(ports: ManifestFolderPorts) {
    this.#ports = ports
  }

  /** By `<namespace>/<name>`. */
  get pods(): ReadonlyMap<string, Pod> {
    return this.#pods
  }

  /** The folder was read at least once, or is not there. */
  get isRead(): boolean {
    return this.#isRead
  }

  /** Reads the folder; whether other pods came of it. A folder that cannot be read leaves the pods as they are. */
  async scan(): Promise<boolean> {
    const found = await this.#found()
    if (!found) return false
    const files = new Map<string, Known>()
    for (const file of found) {
      const known = this.#readAgain(file)
      if (known) files.set(file.path, known)
    }
    const pods = this.#distinct(files)
    const isOther = !this.#isRead || !sameUids(this.#pods, pods)
    this.#files = files
    this.#pods = pods
    this.#isRead = true
    return isOther
  }

  async #found(): Promise<readonly ManifestFile[] | undefined> {
    const { folder, log } = this.#ports
    try {
      const found = await manifestFiles(folder)
      this.#failure = undefined
      return found
    } catch (error) {
      // As a kubelet has it: no folder, no pods.
      if (hasCode(error, 'ENOENT')) return []
      const failure = describeError(error)
      if (failure !== this.#failure) log.error('The folder of static pods cannot be read', { folder, error })
      this.#failure = failure
      return undefined
    }
  }

  #readAgain({ path, text, refusal }: ManifestFile): Known | undefined {
    const before = this.#files.get(path)
    if (text === undefined && refusal === undefined) return undefined
    if (before && before.text === text && (text !== undefined || before.refusal === refusal)) return before
    const parsed = text === undefined ? { refusal } : parseManifest({ path, text, nodeName: this.#ports.nodeName })
    if ('pod' in parsed) return { text, refusal: undefined, pod: parsed.pod }
    this.#refuse(path, parsed.refusal)
    return { text, refusal: parsed.refusal, pod: before?.pod }
  }

  /** Of two files for one pod the first one counts. */
  #distinct(files: ReadonlyMap<string, Known>): ReadonlyMap<string, Pod> {
    const pods = new Map<string, Pod>()
    for (const [path, { pod }] of files) {
      if (!pod) continue
      const key = podKey(pod)
      if (!pods.has(key)) pods.set(key, pod)
      else if (this.#files.get(path)?.pod !== pod) this.#refuse(path, `another file makes pod ${key}`)
    }
    return pods
  }

  #refuse(path: string, reason: string | undefined): void {
    this.#ports.refusals.add()
    this.#ports.log.warn('A file of static pods is not used', { path, reason })
  }
}

function sameUids(one: ReadonlyMap<string, Pod>, other: ReadonlyMap<string, Pod>): boolean {
  return one.size === other.size && [...one].every(([key, { uid }]) => other.get(key)?.uid === uid)
}
