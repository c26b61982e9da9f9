import { lstat, rename, rm } from 'node:fs/promises'
import { type Counter, type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import type { Clock } from '../../../platform/time/index.ts'
import type { ContainerRuntime } from '../cri/runtime.ts'
import { LABELS } from '../state/labels.ts'
import { compressLog } from './compress-log.ts'
import { COMPRESSED, isMissing, rotatedLogs, stampOf, timeOf } from './log-files.ts'

export interface LogRotationPorts {
  readonly runtime: ContainerRuntime
  /** The value of the owner label of this node's containers. */
  readonly owner: string
  readonly clock: Clock
  readonly log: Logger
  readonly metrics?: Metrics
}

export interface LogRotationOptions {
  /** A log that is larger is rotated. */
  readonly maxBytes: number
  /** Most files of one container, with the one that is written; at least 2. */
  readonly maxFiles: number
  /** Most bytes read in a second to compress them. */
  readonly bytesPerSecond: number
}

const LOG_ROTATION_DEFAULTS: LogRotationOptions = {
  maxBytes: 10 * 1024 * 1024,
  maxFiles: 5,
  bytesPerSecond: 8 * 1024 * 1024,
}

export interface LogRotation {
  /**
   * One pass over the containers that run: logs that are too large begin anew, and the oldest go. A log that cannot be rotated is
   * counted, told of, and tried again by the next pass. Rejects with an UnavailableError while the runtime does not answer.
   */
  run(signal: AbortSignal): Promise<void>
  /** Compresses what earlier passes rotated, slowly, one file after another. For a loop of its own: no other log may grow meanwhile. */
  compress(signal: AbortSignal): Promise<void>
}

export function createLogRotation(ports: LogRotationPorts, options: Partial<LogRotationOptions> = {}): LogRotation {
  const chosen = { ...LOG_ROTATION_DEFAULTS, ...options }
  if (chosen.maxFiles < 2) throw new RangeError('maxFiles is at least 2: the log that is written and the one before')
  return new Rotation(ports, chosen)
}

class Rotation implements LogRotation {
  readonly #ports: LogRotationPorts
  readonly #options: LogRotationOptions
  readonly #counters: Readonly<Record<'rotated' | 'failed', Counter>>
  /** Of running containers, by id: it does not change. */
  #paths = new Map<string, string>()
  /** Logs beside which there may be files to compress. */
  readonly #due = new Set<string>()
  #compressing: string | undefined

  constructor(ports: LogRotationPorts, options: LogRotationOptions) {
    this.#ports = ports
    this.#options = options
    this.#counters = countersOf(ports.metrics ?? silentMetrics)
  }

  async run(signal: AbortSignal): Promise<void> {
    const { runtime, owner } = this.#ports
    const all = await runtime.listContainers({ [LABELS.owner]: owner }, signal)
    const paths = new Map<string, string>()
    for (const { id, state } of all) {
      if (state !== 'running') continue
      const known = this.#paths.get(id)
      const path = known ?? (await runtime.containerStatus(id, signal))?.logPath ?? ''
      if (path === '') continue
      paths.set(id, path)
      // An earlier process may have left something.
      if (known === undefined) this.#due.add(path)
    }
    this.#paths = paths
    for (const [id, path] of paths) await this.#guarded(path, signal, () => this.#look(id, path, signal))
  }

  async compress(signal: AbortSignal): Promise<void> {
    for (const path of [...this.#due]) {
      this.#due.delete(path)
      const isDone = await this.#guarded(path, signal, () => this.#compressBeside(path, signal))
      if (!isDone) this.#due.add(path)
    }
  }

  async #guarded(path: string, signal: AbortSignal, work: () => Promise<void>): Promise<boolean> {
    signal.throwIfAborted()
    try {
      await work()
      return true
    } catch (error) {
      if (signal.aborted || error instanceof UnavailableError) throw error
      this.#counters.failed.add()
      this.#ports.log.warn('The log of a container cannot be rotated', { path, error })
      return false
    }
  }

  async #look(id: string, path: string, signal: AbortSignal): Promise<void> {
    const bytes = await sizeOf(path)
    // A rotation broke off between its two steps: the runtime still writes to the file under its other name.
    if (bytes === undefined) return this.#ports.runtime.reopenLog(id, signal)
    if (bytes <= this.#options.maxBytes) return
    const { rotated } = await rotatedLogs(path)
    const kept = await this.#removeOldest(rotated)
    await this.#begin(id, path, kept.at(-1))
    this.#due.add(path)
    this.#counters.rotated.add()
  }

  /** The newest stays as it is until there is a newer one: readers may still follow it. */
  async #compressBeside(path: string, signal: AbortSignal): Promise<void> {
    const { temporary, rotated } = await rotatedLogs(path)
    for (const each of temporary) await rm(each, { force: true })
    for (const each of rotated.slice(0, -1)) {
      if (each.endsWith(COMPRESSED)) continue
      this.#compressing = each
      try {
        await compressLog(each, { ...this.#ports, ...this.#options }, signal)
      } finally {
        this.#compressing = undefined
      }
    }
  }

  /** Leaves room for the one that comes. A log that is there twice, whole and compressed, is one. */
  async #removeOldest(rotated: readonly string[]): Promise<readonly string[]> {
    const logs = [...new Set(rotated.map(plain))]
    const room = this.#options.maxFiles - 2
    const kept = new Set(room > 0 ? logs.slice(-room) : [])
    // It goes with the next rotation, in the form that it has then.
    if (this.#compressing !== undefined) kept.add(this.#compressing)
    for (const each of rotated) if (!kept.has(plain(each))) await rm(each, { force: true })
    return rotated.filter((each) => kept.has(plain(each)))
  }

  /** Not by the signal of the pass: between its steps nothing may end it. The call has a deadline of its own. */
  async #begin(id: string, path: string, before: string | undefined): Promise<void> {
    // A clock that was set back must not change their order.
    const time = Math.max(this.#ports.clock.now(), before === undefined ? 0 : timeOf(before) + 1000)
    const moved = `${path}.${stampOf(time)}`
    await rename(path, moved)
    try {
      await this.#ports.runtime.reopenLog(id)
    } catch (error) {
      // Where the runtime made the new file all the same, both stay.
      if ((await sizeOf(path)) === undefined) await rename(moved, path)
      throw error
    }
  }
}

function plain(path: string): string {
  return path.endsWith(COMPRESSED) ? path.slice(0, -COMPRESSED.length) : path
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    // A link leads to a file of Docker, which rotates its own.
    const found = await lstat(path)
    return found.isFile() ? found.size : 0
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

function countersOf(metrics: Metrics) {
  return {
    rotated: metrics.counter({
      name: 'skerry_edged_logs_rotated_total',
      help: 'Logs of containers that were rotated.',
    }),
    failed: metrics.counter({
      name: 'skerry_edged_log_rotation_failures_total',
      help: 'Logs of containers that could not be rotated; each is tried again.',
    }),
  }
}
