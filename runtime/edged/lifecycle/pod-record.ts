import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { writeFileAtomic } from '../../../platform/files/index.ts'
import { hasCode } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import type { Places } from '../places.ts'
import { isObject, numberIn, objectIn, textIn } from '../pod/json.ts'
import type { Waiting } from '../pod/obstacle.ts'
import { isPlainName } from '../pod/plain-name.ts'
import type { PodIdentity } from '../pod/pod.ts'

/** What is kept of a pod beside its containers: it outlives this process, the machine's restart and the runtime's memory. */
export interface PodRecord extends PodIdentity {
  /** When this node took it, Unix ms. */
  readonly startedAt: number
  /** Why it ended before its containers were done; it does not begin again. */
  readonly ended?: Waiting
  /** As it was last reported. */
  readonly status?: JsonObject
}

const ENDING = '.json'

/** One small file for each pod. */
export class PodRecords {
  readonly #places: Places
  readonly #log: Logger

  constructor(places: Places, log: Logger) {
    this.#places = places
    this.#log = log
  }

  /** Also removes what a crash left of a record that was being written. */
  async all(): Promise<readonly PodRecord[]> {
    const { records: folder } = this.#places
    const names = await readdir(folder).catch(nothingThere)
    const unfinished = names.filter((name) => !name.endsWith(ENDING))
    await Promise.all(unfinished.map((name) => rm(join(folder, name), { force: true })))
    const uids = names.filter((name) => name.endsWith(ENDING)).map((name) => name.slice(0, -ENDING.length))
    const records = await Promise.all(uids.filter(isPlainName).map((uid) => this.#read(uid)))
    return records.flatMap((record) => (record ? [record] : []))
  }

  async write(record: PodRecord): Promise<void> {
    await mkdir(this.#places.records, { recursive: true, mode: 0o700 })
    await writeFileAtomic(this.#path(record.uid), JSON.stringify(record), 0o600)
  }

  async remove(uid: string): Promise<void> {
    await rm(this.#path(uid), { force: true })
  }

  #path(uid: string): string {
    return join(this.#places.records, `${basename(uid)}${ENDING}`)
  }

  /** A file that cannot be read is one that is not there: all in it can be learned again. */
  async #read(uid: string): Promise<PodRecord | undefined> {
    try {
      const text = await readFile(this.#path(uid), 'utf8')
      const record = recordOf(uid, JSON.parse(text))
      if (!record) throw new RangeError('it is no record of a pod')
      return record
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) {
        this.#log.warn('What was kept of a pod cannot be read; it is learned again', { uid, error })
      }
      return undefined
    }
  }
}

function recordOf(uid: string, value: unknown): PodRecord | undefined {
  if (!isJson(value)) return undefined
  const [name, namespace, startedAt] = [textIn(value, 'name'), textIn(value, 'namespace'), numberIn(value, 'startedAt')]
  if (name === undefined || namespace === undefined || !isMoment(startedAt)) return undefined
  const ended = objectIn(value, 'ended')
  const [reason, message] = [textIn(ended, 'reason'), textIn(ended, 'message')]
  const status = value['status']
  return {
    ...{ uid, name, namespace, startedAt },
    ...(reason === undefined ? {} : { ended: { reason, message: message ?? '' } }),
    ...(isObject(status) ? { status } : {}),
  }
}

function isMoment(value: number | undefined): value is number {
  return value !== undefined && !Number.isNaN(new Date(value).getTime())
}

/** What JSON.parse gives of an object. */
function isJson(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function nothingThere(error: unknown): readonly string[] {
  if (hasCode(error, 'ENOENT')) return []
  throw error
}
