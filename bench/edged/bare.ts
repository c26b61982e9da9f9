import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { seconds } from '../../platform/time/index.ts'
import { containerConfig } from '../../runtime/edged/containers/container-config.ts'
import type { ContainerRuntime, Mount } from '../../runtime/edged/cri/runtime.ts'
import { parsePod } from '../../runtime/edged/pod/parse-pod.ts'
import { readHostDns } from '../../runtime/edged/sandbox/host-dns.ts'
import { sandboxConfig } from '../../runtime/edged/sandbox/sandbox-config.ts'
import { TEST_IMAGE } from '../../runtime/edged/testing/containerd.ts'
import { assignedPod, GRACE_SECONDS } from './manifests.ts'

const FACTS = {
  ...{ nodeName: 'bench', hostIps: ['192.0.2.1'], podIps: [] },
  allocatable: { milliCpu: 2000, memoryBytes: 4 * 1024 ** 3, diskBytes: 0 },
}

export interface BarePod {
  readonly sandbox: string
  readonly container: string
}

/**
 * The same sandbox and the same container as Edged makes for the pod, by the calls of CRI alone, one after the other. What is in those calls
 * is put together before the time begins to count.
 */
export class BareRuntime {
  readonly #runtime: ContainerRuntime
  readonly #folder: string

  constructor(runtime: ContainerRuntime, folder: string) {
    this.#runtime = runtime
    this.#folder = folder
  }

  async prepare(name: string): Promise<() => Promise<BarePod>> {
    const parsed = parsePod(assignedPod(name))
    if (!('pod' in parsed)) throw new Error(parsed.refusal)
    const { pod } = parsed
    const [container] = pod.spec.containers
    const image = await this.#runtime.imageStatus(TEST_IMAGE)
    if (!container || !image) throw new Error(`there is no image ${TEST_IMAGE}`)
    const same = { pod, attempt: 0, owner: 'bench' }
    const logDirectory = join(this.#folder, 'logs', name)
    const sandbox = sandboxConfig({ ...same, logDirectory, dns: await readHostDns(), nodeName: FACTS.nodeName })
    const mounts = [
      await this.#file(name, 'hosts', '/etc/hosts'),
      await this.#file(name, 'words', '/dev/termination-log'),
    ]
    const [environment, logPath] = [new Map<string, string>(), 'app/0.log']
    const config = containerConfig({ ...same, container, environment, mounts, image, facts: FACTS, logPath })
    return async () => {
      const id = await this.#runtime.runSandbox(sandbox, '')
      await this.#runtime.imageStatus(TEST_IMAGE)
      const made = await this.#runtime.createContainer(id, config, sandbox)
      await this.#runtime.startContainer(made)
      return { sandbox: id, container: made }
    }
  }

  async remove({ sandbox, container }: BarePod): Promise<void> {
    await this.#runtime.stopContainer(container, seconds(GRACE_SECONDS))
    await this.#runtime.stopSandbox(sandbox)
    await this.#runtime.removeContainer(container)
    await this.#runtime.removeSandbox(sandbox)
  }

  async #file(pod: string, name: string, containerPath: string): Promise<Mount> {
    const folder = join(this.#folder, 'files', pod)
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, name), '')
    return { containerPath, hostPath: join(folder, name), readonly: false, selinuxRelabel: true }
  }
}
