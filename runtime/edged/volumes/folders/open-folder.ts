import { constants, type PathLike } from 'node:fs'
import { type FileHandle, open, readFile } from 'node:fs/promises'

/** Node.js does not name it; the same on all platforms of Linux that it runs on (open(2)). */
const O_PATH = 0o10000000
const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants

/**
 * A folder that stays the one it was when it was opened, whatever happens to its path. What is in it is reached by one name at a
 * time, so that nobody leads elsewhere by a link. Names are bytes; `latin1` is for those that the system gave in it.
 */
export class OpenFolder implements AsyncDisposable {
  readonly handle: FileHandle

  private constructor(handle: FileHandle) {
    this.handle = handle
  }

  /** The last part of the path has to be a folder itself (ENOTDIR or ELOOP otherwise); those before it may be links. */
  static async at(path: PathLike): Promise<OpenFolder> {
    return new OpenFolder(await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
  }

  async folder(name: string, encoding?: BufferEncoding): Promise<OpenFolder> {
    return OpenFolder.at(this.in(name, encoding))
  }

  /** Whatever it is, without opening it as a device or pipe. A link is what it is, and not followed. */
  async entry(name: string): Promise<FileHandle> {
    return open(this.in(name), O_PATH | O_NOFOLLOW)
  }

  /** Leads into this folder while it is open. */
  get path(): string {
    return `/proc/self/fd/${this.handle.fd}`
  }

  in(name: string, encoding: BufferEncoding = 'utf8'): Buffer {
    return Buffer.concat([Buffer.from(`${this.path}/`), Buffer.from(name, encoding)])
  }

  /** Which mount it was reached through: another one than its parent's means that something is mounted there (proc_pid_fdinfo(5)). */
  async mountId(): Promise<string> {
    const text = await readFile(`/proc/self/fdinfo/${this.handle.fd}`, 'utf8')
    return /^mnt_id:\s*(\d+)$/m.exec(text)?.[1] ?? ''
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.handle.close()
  }
}
