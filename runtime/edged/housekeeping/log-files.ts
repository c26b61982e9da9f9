import { readdir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { hasCode } from '../../../platform/lifecycle/index.ts'

/** Files beside the log of a container that its rotation made. */
export interface RotatedLogs {
  /** Paths of those that are whole, the oldest first: `0.log.20260131-120000`, with `.gz` once it is compressed. */
  readonly rotated: readonly string[]
  /** Left by a rotation that broke off. */
  readonly temporary: readonly string[]
}

export const COMPRESSED = '.gz'
export const TEMPORARY = '.tmp'
const STAMP = /^\.(\d{8}-\d{6})(\.gz)?(\.tmp)?$/

/** What is there beside the log at `path`; other files in its folder are not of it. */
export async function rotatedLogs(path: string): Promise<RotatedLogs> {
  const [folder, name] = [dirname(path), basename(path)]
  const found = (await namesIn(folder)).flatMap((each) => {
    const suffix = each.startsWith(name) ? STAMP.exec(each.slice(name.length)) : null
    return suffix ? [{ path: join(folder, each), isTemporary: suffix[3] !== undefined }] : []
  })
  // The form of the time makes their order by name that of their age.
  const sorted = found.toSorted((a, b) => (a.path < b.path ? -1 : 1))
  return {
    rotated: sorted.filter(({ isTemporary }) => !isTemporary).map((each) => each.path),
    temporary: sorted.filter(({ isTemporary }) => isTemporary).map((each) => each.path),
  }
}

/** `20260131-120000`, UTC, of a time in Unix ms. */
export function stampOf(time: number): string {
  return new Date(time).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')
}

/** Of a rotated log, Unix ms. */
export function timeOf(path: string): number {
  const [, day, time] = /\.(\d{8})-(\d{6})(?:\.gz)?$/.exec(path) ?? []
  if (day === undefined || time === undefined) return 0
  const date = `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`
  const parsed = Date.parse(`${date}T${time.slice(0, 2)}:${time.slice(2, 4)}:${time.slice(4)}Z`)
  return Number.isNaN(parsed) ? 0 : parsed
}

/** Takes away the log of a container that is gone, with all that its rotation made. */
export async function removeLogs(path: string): Promise<void> {
  const { rotated, temporary } = await rotatedLogs(path)
  for (const each of [path, ...rotated, ...temporary]) await rm(each, { force: true })
}

/** Empty where there is no such folder. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

export function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT', 'ENOTDIR')
}
