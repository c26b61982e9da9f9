import { type JsonObject, podReports } from '../../../schemas/index.ts'
import { podKey } from '../pod/pod.ts'
import { podStatus } from '../status/pod-status.ts'
import type { StatusInput } from '../status/status-input.ts'
import type { Crew } from './crew.ts'
import type { Desired } from './desired-pods.ts'
import type { PodRecord } from './pod-record.ts'

/** Says how one pod is: on this node's disk, then on the bus, and only what is news. */
export class PodReporter {
  readonly #crew: Pick<Crew, 'bus' | 'records'>
  #record: PodRecord

  constructor(crew: Pick<Crew, 'bus' | 'records'>, record: PodRecord) {
    this.#crew = crew
    this.#record = record
  }

  get record(): PodRecord {
    return this.#record
  }

  /** It does not begin again. Kept before anything of it is ended. */
  async end(ended: NonNullable<PodRecord['ended']>): Promise<void> {
    if (this.#record.ended) return
    const record = { ...this.#record, ended }
    await this.#crew.records.write(record)
    this.#record = record
  }

  async report(input: StatusInput, desired: Desired | undefined, isFinished: boolean): Promise<void> {
    const status = podStatus(input)
    await this.#keep(status)
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

  async #keep(status: JsonObject): Promise<void> {
    if (JSON.stringify(this.#record.status) === JSON.stringify(status)) return
    const record = { ...this.#record, status }
    await this.#crew.records.write(record)
    this.#record = record
  }
}
