import { constants, type FSWatcher, watch } from 'node:fs'
import { type FileHandle, open, readlink } from 'node:fs/promises'
import { createGunzip, type Gunzip } from 'node:zlib'
import { hasCode, RefusedError } from '../../../../platform/lifecycle/index.ts'
import { COMPRESSED, isMissing, rotatedLogs } from '../../housekeeping/log-files.ts'

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants

/** One file of a log. */
export interface LogFile extends AsyncDisposable {
  /** Undefined: it is compressed, and read by `chunks` alone. */
  readonly plain: FileHandle | undefined
  /** All of it, as it was before it was compressed. */
  chunks(): AsyncIterable<Buffer>
}

/**
 * The folder with the logs of one container name. Whoever may write to it (a container that has it mounted) may not lead a reader
 * elsewhere: links are followed neither on the way to it nor in it, and only files are read. The one exception is what cri-dockerd puts
 * there: a link to the file that Docker keeps for the very container, which its name says.
 */
export class LogFolder implements AsyncDisposable {
  readonly #handle: FileHandle
  readonly #containerId: string

  private constructor(handle: FileHandle, containerId: string) {
    this.#handle = handle
    this.#containerId = containerId
  }

  /** `names` are parts of a path below `root`; undefined where there is no such folder. `containerId`: whose log is read. */
  static async open(root: string, names: readonly string[], containerId = ''): Promise<LogFolder | undefined> {
    try {
      let at = await open(root, O_RDONLY | O_DIRECTORY)
      for (const name of names) {
        await using above = at
        at = await open(beside(above, name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
      }
      return new LogFolder(at, containerId)
    } catch (error) {
      throwUnlessMissing(error)
      return undefined
    }
  }

  /** Of files that its rotation made of the log of this name, the oldest first: `.20260131-120000`. */
  async rotated(name: string): Promise<readonly string[]> {
    const path = beside(this.#handle, name)
    const { rotated } = await rotatedLogs(path)
    const suffixes = rotated.map((each) => each.slice(path.length))
    return [...new Set(suffixes.map((each) => (each.endsWith(COMPRESSED) ? each.slice(0, -COMPRESSED.length) : each)))]
  }

  /** Undefined where there is no such file. */
  async file(name: string): Promise<LogFile | undefined> {
    const plain = await this.#open(name)
    if (plain) {
      return {
        ...{ plain, chunks: () => plain.createReadStream({ start: 0, autoClose: false }) },
        [Symbol.asyncDispose]: () => plain.close(),
      }
    }
    const compressed = await this.#open(name + COMPRESSED)
    if (!compressed) return undefined
    return {
      plain: undefined,
      chunks: () => inflated(compressed),
      [Symbol.asyncDispose]: () => compressed.close(),
    }
  }

  /** Tells of changes in it, as far as the machine does. */
  watch(onChange: () => void): Disposable {
    let watcher: FSWatcher | undefined
    try {
      watcher = watch(`/proc/self/fd/${this.#handle.fd}`, { persistent: false }, onChange)
      watcher.on('error', () => watcher?.close())
    } catch {
      // Machines have few of them (fs.inotify.max_user_watches); who reads looks from time to time all the same.
      watcher = undefined
    }
    return { [Symbol.dispose]: () => watcher?.close() }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close()
  }

  /** Where a link to Docker's own file of the container leads; undefined for anything else. */
  async #kept(path: string): Promise<string | undefined> {
    if (this.#containerId === '') return undefined
    const target = await readlink(path).catch(() => undefined)
    return OF_DOCKER.exec(target ?? '')?.[1] === this.#containerId ? target : undefined
  }

  async #open(name: string): Promise<FileHandle | undefined> {
    const path = beside(this.#handle, name)
    let handle: FileHandle
    try {
      handle = await open((await this.#kept(path)) ?? path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    } catch (error) {
      throwUnlessMissing(error)
      return undefined
    }
    if ((await handle.stat()).isFile()) return handle
    await handle.close()
    throw notAFile()
  }
}

const BLOCK = 64 * 1024

/** Who has enough may leave before its end. The file stays open, and nothing reads it any more by then. */
async function* inflated(file: FileHandle): AsyncGenerator<Buffer, void, undefined> {
  const gunzip = createGunzip()
  gunzip.on('error', () => undefined)
  const fed = feed(file, gunzip)
  try {
    for await (const chunk of gunzip) yield chunk
  } finally {
    gunzip.destroy()
    await fed
  }
}

/** Never rejects: what fails is told by the stream. */
async function feed(file: FileHandle, gunzip: Gunzip): Promise<void> {
  const closed = new Promise<void>((resolve) => gunzip.once('close', resolve))
  try {
    for (let at = 0; !gunzip.destroyed; ) {
      const block = Buffer.allocUnsafe(BLOCK)
      const { bytesRead } = await file.read(block, 0, BLOCK, at)
      if (bytesRead === 0) return void gunzip.end()
      at += bytesRead
      const taken = new Promise<void>((resolve) => gunzip.write(block.subarray(0, bytesRead), () => resolve()))
      await Promise.race([taken, closed])
    }
  } catch (error) {
    gunzip.destroy(error instanceof Error ? error : undefined)
  }
}

/** `/var/lib/docker/containers/<id>/<id>-json.log` */
const OF_DOCKER = /^\/(?:[^/]+\/)*([0-9a-f]{64})\/\1-json\.log$/

function beside({ fd }: FileHandle, name: string): string {
  return `/proc/self/fd/${fd}/${name}`
}

function throwUnlessMissing(error: unknown): void {
  if (isMissing(error)) return
  if (hasCode(error, 'ELOOP')) throw notAFile(error)
  throw error
}

function notAFile(cause?: unknown): RefusedError {
  return new RefusedError('The log of the container is a link or no file, and is not read', {
    code: 'EDGED_LOG_NOT_A_FILE',
    cause,
  })
}
