import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContainerd } from './containerd.ts'
import { cgroupsOf, idsIn, mountsIn, processesOf } from './power-off.ts'
import { runProgram } from './run-program.ts'

/** Of one network, where ptp and host-local keep them: `10.233.52.`. */
export interface Network {
  readonly prefix: string
}

/** Everything that pods leave behind on a machine: of the runtime, the kernel, the network, and in the folders of Edged. */
export async function tracesOf(
  containerd: TestContainerd,
  network: Network,
  directory: string,
): Promise<readonly string[]> {
  const { runtime, folder, socket } = containerd
  const told = async (what: string, found: Promise<readonly string[]>) => (await found).map((each) => `${what} ${each}`)
  const routes = async () => {
    const { stdout } = await runProgram('ip', ['-4', 'route', 'show'])
    return stdout
      .toString()
      .split('\n')
      .filter((line) => line.startsWith(network.prefix))
  }
  /** On the side of the host each has the address of the gateway. */
  const veths = async () => {
    const { stdout } = await runProgram('ip', ['-4', '-oneline', 'address', 'show'])
    return stdout
      .toString()
      .split('\n')
      .flatMap((line) => (line.includes(` inet ${network.prefix}`) ? [line.split(/\s+/)[1] ?? ''] : []))
  }
  const files = async (...path: readonly string[]) => await readdir(join(...path)).catch(() => [])
  const traces = [
    told(
      'sandbox',
      runtime.listSandboxes().then((all) => all.map(({ id }) => id)),
    ),
    told(
      'container',
      runtime.listContainers().then((all) => all.map(({ id }) => id)),
    ),
    told(
      'process',
      processesOf(socket).then((all) => all.map(({ command }) => command)),
    ),
    told('mount', mountsIn([folder, directory])),
    told('network namespace', files(folder, 'state', 'io.containerd.grpc.v1.cri', 'netns')),
    told('route', routes()),
    told('veth', veths()),
    told(
      'lease',
      files(folder, 'ipam', 'skerry-test').then((all) => all.filter((name) => name.startsWith(network.prefix))),
    ),
    told('cgroup', cgroupsOf(await idsIn(join(folder, 'containerd.log')))),
    told('files of pod', files(directory, 'pods')),
    told('record', files(directory, 'records')),
    told('log folder', files(directory, 'logs')),
  ]
  return (await Promise.all(traces)).flat()
}
