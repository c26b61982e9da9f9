import { mkdirSync, rmSync } from 'node:fs'
import { mountsUnder } from '../mounts/mountinfo.ts'
import type { MountPoint, Mounts, TmpfsOptions } from '../mounts/mounts.ts'

/** Mounts that are only remembered: what is written to one is in the folder itself, and goes when it is unmounted. */
export class FakeMounts implements Mounts {
  isRoot = true
  /** In the order in which they were made. */
  readonly made: (MountPoint & { readonly options?: TmpfsOptions })[] = []
  /** Refuses to unmount these. */
  readonly busy = new Set<string>()

  async isAllowed(): Promise<boolean> {
    return this.isRoot
  }

  async tmpfs(target: string, options: TmpfsOptions): Promise<void> {
    this.made.push({ path: target, type: 'tmpfs', options })
  }

  async bind(_descriptor: number, target: string): Promise<void> {
    this.made.push({ path: target, type: 'ext4' })
  }

  async unmount(target: string): Promise<void> {
    if (this.busy.has(target)) throw new Error(`umount: ${target}: target is busy.`)
    const index = this.made.findLastIndex(({ path }) => path === target)
    if (index < 0) throw new Error(`umount: ${target}: not mounted.`)
    const [gone] = this.made.splice(index, 1)
    if (gone?.type !== 'tmpfs') return
    rmSync(target, { recursive: true })
    mkdirSync(target)
  }

  async isMounted(folder: string): Promise<boolean> {
    return this.made.some(({ path }) => path === folder)
  }

  async under(folder: string): Promise<readonly MountPoint[]> {
    return mountsUnder(folder, this.made)
  }
}
