import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { nameOf } from '../../../../hub/kube/object/index.ts'
import type { ApiObject } from '../../../../hub/kube/resource.ts'
import { freePort } from '../../up/ports.ts'
import { collect, type Ran, run } from '../run.ts'
import { launcher, removeDirectory } from '../up.ts'

/** Where the API is for pods, and the token and CA that a kubelet mounts. */
export interface PodAccess {
  readonly apiPort: number
  readonly token: string
  readonly ca: string
}

/** What of the manifest of the cloud half a kubelet looks at. */
interface PodManifest {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> }
  readonly spec: {
    readonly volumes: readonly {
      readonly name: string
      readonly downwardAPI?: {
        readonly items: readonly { readonly path: string; readonly fieldRef: { readonly fieldPath: string } }[]
      }
    }[]
    readonly containers: readonly {
      readonly args: readonly string[]
      readonly env: readonly {
        readonly name: string
        readonly value?: string
        readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } }
      }[]
      readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
      readonly readinessProbe: Probe
      readonly livenessProbe: Probe
      readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[]
    }[]
  }
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string }
}

const PRELOADED = pathToFileURL(join(import.meta.dirname, 'service-account-files.ts')).href

/**
 * A pod of the cloud half as a process: with the arguments, the environment, the files and the token that its manifest asks for, and
 * nothing else. Folders stand for mounts, and free ports for those that the pods of a cluster have each for itself.
 */
export class PlayedPod {
  readonly name: string
  readonly #folder: string
  readonly #manifest: PodManifest
  readonly #access: PodAccess
  readonly #ports = new Map<string, number>()
  #child: ChildProcess | undefined
  #output: ReturnType<typeof collect> | undefined

  private constructor(pod: ApiObject, folder: string, access: PodAccess) {
    this.name = nameOf(pod)
    this.#folder = folder
    this.#manifest = JSON.parse(JSON.stringify(pod))
    this.#access = access
  }

  static async start(pod: ApiObject, folder: string, access: PodAccess): Promise<PlayedPod> {
    const played = new PlayedPod(pod, join(folder, String(pod.metadata['uid'])), access)
    for (const { name } of played.#container.ports) played.#ports.set(name, await freePort())
    await played.#mount()
    played.#child = spawn(process.execPath, [launcher, ...played.#container.args.map((arg) => played.#here(arg))], {
      env: played.#environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    played.#output = collect(played.#child)
    return played
  }

  port(name: string): number {
    return this.#ports.get(name) ?? 0
  }

  get hasEnded(): boolean {
    return this.#child?.exitCode !== null || this.#child.signalCode !== null
  }

  get log(): string {
    return `${this.#output?.stdout()}${this.#output?.stderr()}`
  }

  /** Whether the probe of the manifest is content. */
  async probe(which: 'readinessProbe' | 'livenessProbe'): Promise<boolean> {
    const { path, port } = this.#container[which].httpGet
    return (await this.get(port, path)).status < 400
  }

  /** An HTTP answer of a port of the pod; status 599 where there is none. */
  async get(port: string, path: string): Promise<{ readonly status: number; readonly text: string }> {
    try {
      const answer = await fetch(`http://127.0.0.1:${this.port(port)}${path}`, { signal: AbortSignal.timeout(5000) })
      return { status: answer.status, text: await answer.text() }
    } catch {
      return { status: 599, text: '' }
    }
  }

  /** `kubectl exec POD -- node bin/skerry.mjs ...` */
  exec(...args: readonly string[]): Promise<Ran> {
    return run(process.execPath, [launcher, ...args], { env: this.#environment() })
  }

  /** Settles when it is gone with all that it had on its disk; the exit code, or null after a kill. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    const child = this.#child
    if (child && !this.hasEnded) {
      const closed = once(child, 'exit')
      child.kill(signal)
      await closed
    }
    await removeDirectory(this.#folder)
    return child?.exitCode ?? null
  }

  get #container() {
    const [container] = this.#manifest.spec.containers
    if (!container) throw new Error(`pod ${this.name} has no container`)
    return container
  }

  /** A path of the container as it is on this machine. */
  #here(text: string): string {
    const { volumeMounts } = this.#container
    const mount = volumeMounts.find(({ mountPath }) => text === mountPath || text.startsWith(`${mountPath}/`))
    return mount ? text.replace(mount.mountPath, join(this.#folder, mount.name)) : text
  }

  #environment(): Record<string, string> {
    const own = this.#container.env.map(({ name, value, valueFrom }) => {
      const isAddress = valueFrom?.fieldRef.fieldPath === 'status.podIP'
      return [name, isAddress ? '127.0.0.1' : this.#here(value ?? '')] as const
    })
    return {
      PATH: '/usr/bin:/bin',
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: String(this.#access.apiPort),
      NODE_OPTIONS: `--disable-warning=ExperimentalWarning --import=${PRELOADED}`,
      SKERRY_TEST_SERVICE_ACCOUNT: join(this.#folder, 'service-account'),
      ...Object.fromEntries(own),
    }
  }

  async #mount(): Promise<void> {
    const { token, ca } = this.#access
    await this.#write('service-account', { token, 'ca.crt': ca, namespace: 'kubeedge' })
    for (const { name, downwardAPI } of this.#manifest.spec.volumes) {
      const files = downwardAPI?.items.map(({ path, fieldRef }) => [path, this.#field(fieldRef.fieldPath)] as const)
      await this.#write(name, Object.fromEntries(files ?? []))
    }
  }

  async #write(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
    await mkdir(join(this.#folder, folder), { recursive: true })
    for (const [name, text] of Object.entries(files))
      await writeFile(join(this.#folder, folder, name), text, { mode: 0o600 })
  }

  /** An annotation, with ports that are free here. */
  #field(path: string): string {
    const name = /^metadata\.annotations\['(.*)'\]$/.exec(path)?.[1] ?? ''
    const text = this.#manifest.metadata.annotations[name] ?? ''
    return this.#container.ports.reduce(
      (config, { name: port, containerPort }) =>
        config.replace(new RegExp(`(port: )${containerPort}(?=\\}|$)`, 'im'), `$1${this.port(port)}`),
      text,
    )
  }
}
