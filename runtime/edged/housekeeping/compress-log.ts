import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { type Clock, ms } from '../../../platform/time/index.ts'
import { COMPRESSED, isMissing, TEMPORARY } from './log-files.ts'

export interface Pace {
  readonly clock: Clock
  /** Most bytes read in a second, so that containers keep the disk. */
  readonly bytesPerSecond: number
}

const CHUNK = 256 * 1024
const SHORT_MS = 100

/**
 * Puts `<path>.gz` in the place of the file. After a crash there is the file, or what is whole under the new name, or both; the next
 * call goes on from there.
 */
export async function compressLog(path: string, pace: Pace, signal: AbortSignal): Promise<void> {
  const [target, temporary] = [path + COMPRESSED, path + COMPRESSED + TEMPORARY]
  if (!(await isThere(target))) {
    try {
      await write(path, temporary, pace, signal)
      await rename(temporary, target)
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  }
  await rm(path, { force: true })
}

async function write(path: string, temporary: string, pace: Pace, signal: AbortSignal): Promise<void> {
  const source = await open(path, 'r')
  try {
    const { mode } = await source.stat()
    const target = await open(temporary, 'w', mode & 0o777)
    try {
      const save = async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) await target.writeFile(chunk)
      }
      await pipeline(paced(source, pace, signal), createGzip(), save, { signal })
      await target.sync()
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

async function* paced(source: FileHandle, { clock, bytesPerSecond }: Pace, signal: AbortSignal) {
  let aheadMs = 0
  for (;;) {
    const { bytesRead, buffer } = await source.read(Buffer.allocUnsafe(CHUNK))
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
    aheadMs += (bytesRead / bytesPerSecond) * 1000
    // Small files are done at once.
    if (aheadMs < SHORT_MS) continue
    await clock.sleep(ms(aheadMs), signal)
    aheadMs = 0
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await (await open(path, 'r')).close()
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}
