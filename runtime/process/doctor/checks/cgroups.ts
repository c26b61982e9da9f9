import { readFile } from 'node:fs/promises'
import { type Check, type Finding, ok, warn } from '../finding.ts'

const NEEDED = ['cpu', 'memory', 'pids'] as const

/** Limits of containers need them. */
export const cgroups: Check = {
  name: 'cgroups',
  async run({ edge }) {
    if (process.platform !== 'linux' || edge?.config.edged.enabled === false) return []
    const read = (path: string) => readFile(path, 'utf8').catch(() => undefined)
    return judgeCgroups(await read('/sys/fs/cgroup/cgroup.controllers'), await read('/proc/cgroups'))
  },
}

/** `unified`: controllers of version 2, where it is mounted; `table`: /proc/cgroups, which version 1 goes by. */
export function judgeCgroups(unified: string | undefined, table: string | undefined): readonly Finding[] {
  const present = unified === undefined ? enabledIn(table ?? '') : unified.trim().split(/\s+/)
  const missing = NEEDED.filter((name) => !present.includes(name))
  const version = unified === undefined ? 1 : 2
  if (missing.length === 0) return [ok(`cgroup version ${version} with ${NEEDED.join(', ')}`)]
  const advice = missing.includes('memory')
    ? 'add cgroup_enable=memory to the command line of the kernel (Raspberry Pi: at the end of the line in /boot/firmware/cmdline.txt), then reboot'
    : 'mount cgroups (systemd does; Alpine: rc-update add cgroups), then reboot'
  return [warn(`limits of pods do not hold: cgroup controllers are missing: ${missing.join(', ')}`, advice)]
}

/** Lines of name, hierarchy, number, enabled (0 or 1). */
function enabledIn(table: string): readonly string[] {
  return table.split('\n').flatMap((line) => {
    const [name = '', , , enabled] = line.split(/\s+/)
    return enabled === '1' ? [name] : []
  })
}
