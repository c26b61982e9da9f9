import { readdir, readFile, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { runProgram } from './run-program.ts'

const PATIENCE_MS = 20_000

/** Ends all that runs under the containerd of this socket, and unmounts all that is mounted in these folders, as a power cut does. */
export async function powerOff(socket: string, folders: readonly string[]): Promise<void> {
  const end = performance.now() + PATIENCE_MS
  for (;;) {
    const pids = await processesOf(socket)
    for (const { pid } of pids) signal(pid)
    if (pids.length === 0) break
    if (performance.now() > end) throw new Error(`these do not end: ${JSON.stringify(pids)}`)
    await pause(20)
  }
  await unmountIn(folders)
  await removeCgroups(await idsIn(join(folders[0] ?? '', 'containerd.log')))
}

/** Unmounts all that is mounted in these folders. */
export async function unmountIn(folders: readonly string[]): Promise<void> {
  const end = performance.now() + PATIENCE_MS
  for (let left = await mountsIn(folders); left[0] !== undefined; left = await mountsIn(folders)) {
    await runProgram('umount', [left[0]])
    if (performance.now() > end) throw new Error(`these cannot be unmounted: ${left.join(', ')}`)
  }
}

/** The shims of that containerd and all that was started by them, newest first. */
export async function processesOf(
  socket: string,
): Promise<readonly { readonly pid: number; readonly command: string }[]> {
  const all = (await Promise.all((await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(processOf))).flat()
  const found = all.filter(({ command }) => command.includes('containerd-shim') && command.includes(socket))
  for (let next = 0; next < found.length; next++) {
    const known = new Set(found.map(({ pid }) => pid))
    found.push(...all.filter(({ pid, parent }) => parent === found[next]?.pid && !known.has(pid)))
  }
  return found.map(({ pid, command }) => ({ pid, command })).reverse()
}

/** Where something is mounted in these folders; the deepest first. */
export async function mountsIn(folders: readonly string[]): Promise<readonly string[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n')
  const paths = lines.map((line) => line.split(' ')[4] ?? '')
  return paths
    .filter((path) => folders.some((folder) => path.startsWith(`${folder}/`)))
    .sort((a, b) => b.length - a.length)
}

/** Ids of all sandboxes and containers that its log tells of. */
export async function idsIn(log: string): Promise<ReadonlySet<string>> {
  const text = await readFile(log, 'utf8')
  return new Set(text.match(/\b[0-9a-f]{64}\b/g) ?? [])
}

/** Control groups of these sandboxes and containers. */
export async function cgroupsOf(ids: ReadonlySet<string>): Promise<readonly string[]> {
  const controllers = await readdir('/sys/fs/cgroup')
  const parents = ['', ...controllers].map((name) => join('/sys/fs/cgroup', name, 'k8s.io'))
  const found = await Promise.all(
    parents.map(async (parent) => (await readdir(parent).catch(() => [])).map((name) => join(parent, name))),
  )
  return found.flat().filter((path) => [...ids].some((id) => path.endsWith(`/${id}`)))
}

async function removeCgroups(ids: ReadonlySet<string>): Promise<void> {
  for (const path of await cgroupsOf(ids)) await rmdir(path)
}

async function processOf(name: string) {
  try {
    const [command, stat] = await Promise.all([
      readFile(`/proc/${name}/cmdline`, 'utf8'),
      readFile(`/proc/${name}/stat`, 'utf8'),
    ])
    // Its own name may hold spaces and brackets.
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (state === 'Z') return []
    return [{ pid: Number(name), parent: Number(parent), command: command.replaceAll('\0', ' ') }]
  } catch {
    return []
  }
}

function signal(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}
