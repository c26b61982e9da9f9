import { describeError } from '../../../platform/lifecycle/index.ts'
import { type JsonObject, podReports } from '../../../schemas/index.ts'
import { podKey } from '../pod/pod.ts'
import { podStatus } from '../status/pod-status.ts'
import type { StatusInput } from '../status/status-input.ts'
import type { Crew } from './crew.ts'
import type { Desired } from './desired-pods.ts'
import type { PodRecord } from './pod-record.ts'

type Ports = Pick<Crew, 'bus' | 'records' | 'log'>

/**
 * Says how one pod is: on this node's disk, then on the bus, and only what is news. Where the disk takes nothing (it is full),
 * the bus is told nevertheless and pods may be ended, which makes room; the disk is tried again with the next report.
 */
export class PodReporter {
  readonly #crew: Ports
  #record: PodRecord
  #isKept = true

  constructor(crew: Ports, record: PodRecord) {
    this.#crew = crew
    this.#record = record
  }

  get record(): PodRecord {
    return this.#record
  }

  /** The disk has what is known. */
  get isKept(): boolean {
    return this.#isKept
  }

  /** From now on it is known that there is something of it. */
  async begin(): Promise<void> {
    await this.#keep(this.#record)
  }

  /** It does not begin again. Kept before anything of it is ended. */
  async end(ended: NonNullable<PodRecord['ended']>): Promise<void> {
    if (this.#record.ended) return
    await this.#keep({ ...this.#record, ended })
  }

  async report(input: StatusInput, desired: Desired | undefined, isFinished: boolean): Promise<void> {
    const status = podStatus(input)
    const isNews = JSON.stringify(this.#record.status) !== JSON.stringify(status)
    // A record of what is over would be the last trace of it.
    if (desired && !isFinished && (isNews || !this.#isKept)) await this.#keep({ ...this.#record, status })
    this.tell(status, desired, isFinished)
  }

  tell(status: JsonObject, desired: Desired | undefined, isFinished: boolean): void {
    const uid = desired?.reportAs
    if (uid === undefined) return
    const report = { uid, status, ...(isFinished ? { isFinished } : {}) }
    const key = podKey(this.#record)
    if (JSON.stringify(this.#crew.bus.get(podReports, key)) !== JSON.stringify(report)) {
      this.#crew.bus.set(podReports, key, report)
    }
  }

  /** Nothing is to be said of it any more. */
  retract(reportedAs: string): void {
    const key = podKey(this.#record)
    if (this.#crew.bus.get(podReports, key)?.uid === reportedAs) this.#crew.bus.remove(podReports, key)
  }

  async #keep(record: PodRecord): Promise<void> {
    const { records, log } = this.#crew
    this.#record = record
    const where = { pod: podKey(record), uid: record.uid }
    try {
      await records.write(record)
      if (!this.#isKept) log.info('How a pod is can be kept again', where)
      this.#isKept = true
    } catch (error) {
      if (this.#isKept) {
        log.error('How a pod is cannot be kept: a restart now would forget it; trying again', {
          ...where,
          error: describeError(error),
        })
      }
      this.#isKept = false
    }
  }
}
