/** Something of this node that is mounted somewhere. */
export interface MountPoint {
  readonly path: string
  /** `tmpfs`, `ext4`; of a bind that of what it shows. */
  readonly type: string
}

export interface TmpfsOptions {
  /** 0: as much as the kernel gives, half of the memory. */
  readonly bytes: number
  readonly mode: number
  readonly gid?: number
}

/** Mounting on this node. Calls have a deadline of their own, and reject with an UnavailableError in the words of the system. */
export interface Mounts {
  /** Whether this process has the right to. */
  isAllowed(): Promise<boolean>
  /** Files in memory, never on disk, also not in its swap where the kernel can do that. */
  tmpfs(target: string, options: TmpfsOptions, signal?: AbortSignal): Promise<void>
  /** Shows what an open file or folder of this process is, whatever its path leads to meanwhile. */
  bind(descriptor: number, target: string, signal?: AbortSignal): Promise<void>
  /** The one mounted last, where several are at the same place. */
  unmount(target: string, signal?: AbortSignal): Promise<void>
  isMounted(folder: string): Promise<boolean>
  /** What is mounted on a folder that is there, and beneath it; that which has to be unmounted first at first. */
  under(folder: string): Promise<readonly MountPoint[]>
}
