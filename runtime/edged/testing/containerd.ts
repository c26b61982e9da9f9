import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../../../platform/time/index.ts'
import { needs } from '../../../tools/testing/needs.ts'
import { openContainerRuntime } from '../cri/cri-runtime.ts'
import type { ContainerRuntime } from '../cri/runtime.ts'
import { type ImageSource, writeImage } from './oci-image.ts'
import { powerOff } from './power-off.ts'
import { runProgram } from './run-program.ts'

/** A real containerd on a folder of its own, beside any other on this machine. */
export interface TestContainerd extends AsyncDisposable {
  readonly folder: string
  /** Path of its socket. */
  readonly socket: string
  readonly runtime: ContainerRuntime
  readonly log: () => Promise<string>
  addImage(source: ImageSource): Promise<void>
  /** Ends it as a crash does; containers run on. */
  kill(): Promise<void>
  /** As an upgrade does; containers run on. */
  stop(): Promise<void>
  /** It hangs, until it may go on. */
  freeze(): void
  thaw(): void
  /**
   * What a restart of the machine does: all ends at once, and what is in memory is gone, with all that is mounted in its folder and
   * in these. With `isDiskLost` it also forgets all that it had on its disk. Has come up when this settles.
   */
  reboot(options: { readonly folders: readonly string[]; readonly isDiskLost?: boolean }): Promise<void>
  start(): Promise<void>
}

export const TEST_IMAGE = 'skerry.test/busybox:1'
const PAUSE_IMAGE = 'skerry.test/pause:1'
/** Ends at once with SIGTERM, as a pause process has to. */
const PAUSE = "trap 'exit 0' TERM INT; while :; do sleep 3600 & wait $!; done"
const NAMESPACE = 'k8s.io'
const READY_MS = 60_000

export interface ContainerdOptions {
  /** Of its pods; a network that no other test uses at the time. */
  readonly subnet: string
}

export async function startContainerd({ subnet }: ContainerdOptions): Promise<TestContainerd> {
  const folder = await mkdtemp(join(tmpdir(), 'skerry-ctrd-'))
  const socket = join(folder, 'containerd.sock')
  await mkdir(join(folder, 'cni'))
  await writeFile(join(folder, 'config.toml'), configuration(folder))
  await writeFile(join(folder, 'cni', '10-test.conflist'), JSON.stringify(network(folder, subnet)))
  const runtime = await openContainerRuntime(`unix://${socket}`, systemClock)
  let child: ChildProcess | undefined

  const start = async () => {
    const log = await open(join(folder, 'containerd.log'), 'a')
    child = spawn('containerd', ['--config', join(folder, 'config.toml')], { stdio: ['ignore', log.fd, log.fd] })
    await log.close()
    const end = performance.now() + READY_MS
    for (;;) {
      const { conditions } = await runtime.status().catch(() => ({ conditions: [] }))
      if (conditions.length > 0 && conditions.every(({ status }) => status)) return
      if (child.exitCode !== null || performance.now() > end)
        throw new Error(await readFile(join(folder, 'containerd.log'), 'utf8'))
      await pause(50)
    }
  }
  const stop = async (signal: NodeJS.Signals) => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const closed = once(child, 'close')
    child.kill(signal)
    await closed
  }
  const addImage = async (source: ImageSource) => {
    const tar = await writeImage(folder, source)
    await runProgram('ctr', ['--address', socket, '--namespace', NAMESPACE, 'images', 'import', '--digests=false', tar])
  }
  const addImages = async () => {
    await addImage({ name: PAUSE_IMAGE, entrypoint: ['/bin/sh', '-c', PAUSE] })
    await addImage({ name: TEST_IMAGE, cmd: ['/bin/sh'] })
  }
  await start()
  await addImages()
  return {
    ...{ folder, socket, runtime, addImage, start },
    stop: () => stop('SIGTERM'),
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    async reboot({ folders, isDiskLost = false }) {
      await stop('SIGKILL')
      await powerOff(socket, [folder, ...folders])
      await rm(join(folder, 'state'), { recursive: true, force: true })
      if (isDiskLost) await rm(join(folder, 'root'), { recursive: true, force: true })
      await start()
      if (isDiskLost) await addImages()
    },
    log: () => readFile(join(folder, 'containerd.log'), 'utf8'),
    kill: () => stop('SIGKILL'),
    async [Symbol.asyncDispose]() {
      if (child?.exitCode !== null || child.signalCode !== null) await start()
      for (const { id } of await runtime.listSandboxes()) {
        await runtime.stopSandbox(id)
        await runtime.removeSandbox(id)
      }
      await runtime[Symbol.asyncDispose]()
      await stop('SIGTERM')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function configuration(folder: string): string {
  const path = (...parts: readonly string[]) => JSON.stringify(join(folder, ...parts))
  return `version = 2
root = ${path('root')}
state = ${path('state')}
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs", "io.containerd.internal.v1.opt"]
[grpc]
  address = ${path('containerd.sock')}
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  netns_mounts_under_state_dir = true
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = ${path('cni')}
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
`
}

function network(folder: string, subnet: string) {
  return {
    cniVersion: '0.4.0',
    name: 'skerry-test',
    plugins: [
      {
        type: 'ptp',
        ipMasq: false,
        ipam: {
          type: 'host-local',
          dataDir: join(folder, 'ipam'),
          ranges: [[{ subnet }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  }
}

/** Reason to skip a test where no containerd can run, or false. In CI nothing is skipped for a missing program. */
export function needsContainerd(): string | false {
  if (process.platform !== 'linux') return 'containers are of Linux'
  if (process.getuid?.() !== 0) return 'containerd runs as root'
  return needs('containerd', 'runc', 'ctr', 'busybox')
}
