import type { MountPoint } from './mounts.ts'

/** The kernel's list of mounts, in the order in which they were made (proc_pid_mountinfo(5)). */
export function parseMountinfo(text: string): readonly MountPoint[] {
  return text.split('\n').flatMap((line) => {
    const fields = line.split(' ')
    const path = fields[4]
    const type = fields[fields.indexOf('-', 6) + 1]
    return path === undefined || type === undefined || !fields.includes('-', 6) ? [] : [{ path: unescaped(path), type }]
  })
}

/** Those on the folder and beneath it, in the order in which they can be unmounted: the deepest first, of equals the newest. */
export function mountsUnder(folder: string, mounts: readonly MountPoint[]): readonly MountPoint[] {
  const depth = ({ path }: MountPoint) => path.split('/').length
  return mounts
    .filter(({ path }) => path === folder || path.startsWith(`${folder}/`))
    .reverse()
    .sort((a, b) => depth(b) - depth(a))
}

/** Space, tab, newline and backslash are written as three octal digits, byte by byte. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
