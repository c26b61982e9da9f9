import { globSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { render } from '../../../../deploy/testing/render.ts'
import { type ServedApi, serveApi } from '../../../../hub/apiserver/testing/serve.ts'
import { minutes } from '../../../../platform/time/index.ts'
import { packageRoot } from '../../version.ts'
import { eventually, type Ran, run } from '../run.ts'
import { removeDirectory, temporaryDirectory } from '../up.ts'
import { PlayedKubelet } from './played-kubelet.ts'
import type { PlayedPod } from './played-pod.ts'
import { PlayedService } from './played-service.ts'

export const NAMESPACE = 'kubeedge'
export const ACCOUNT = `system:serviceaccount:${NAMESPACE}:skerry-cloud`
const CHART = join(packageRoot, 'deploy', 'chart')
/** On a machine that does ten other things. */
const START_DEADLINE = 150_000
const MOST_AUDIT = 256 * 1024 * 1024

/** A line of the audit log. */
export interface AuditEvent {
  readonly verb: string
  readonly user: { readonly username?: string }
  readonly responseStatus: { readonly code: number; readonly message?: string }
}

/** An API server with RBAC and the controllers of a cluster, a node for pods of the cloud half, and Services that lead to them. */
export class TestCluster implements AsyncDisposable {
  readonly directory: string
  readonly api: ServedApi
  readonly kubelet: PlayedKubelet
  readonly cloudhub: PlayedService
  readonly certificates: PlayedService
  /** The way of the pods to the API. */
  readonly #road: PlayedService
  #isServing = true

  private constructor(
    parts: Pick<TestCluster, 'directory' | 'api' | 'kubelet' | 'cloudhub' | 'certificates'>,
    road: PlayedService,
  ) {
    this.directory = parts.directory
    this.api = parts.api
    this.kubelet = parts.kubelet
    this.cloudhub = parts.cloudhub
    this.certificates = parts.certificates
    this.#road = road
  }

  static async start(): Promise<TestCluster> {
    const directory = temporaryDirectory()
    await mkdir(join(directory, 'api'))
    const audit = { file: join(directory, 'audit.log'), what: 'all', mostBytes: MOST_AUDIT, keep: 1 } as const
    // The played node tells nothing of itself again.
    const api = await serveApi(join(directory, 'api'), { audit, nodeGrace: minutes(60) })
    const apiPort = Number(new URL(api.url).port)
    const road = await PlayedService.open(() => [apiPort])
    const folder = join(directory, 'pods')
    const options = { api, node: 'server-1', namespace: NAMESPACE, folder, apiPort: road.port }
    const kubelet = await PlayedKubelet.start(options)
    const portsOf = (name: string) => () => kubelet.ready.map((pod) => pod.port(name))
    const cloudhub = await PlayedService.open(portsOf('cloudhub'))
    const certificates = await PlayedService.open(portsOf('certificates'))
    return new TestCluster({ directory, api, kubelet, cloudhub, certificates }, road)
  }

  /** From where the pods are, the API is away or back. */
  setApi(isThere: boolean): void {
    this.#road.isOpen = isThere
  }

  kubectl(...args: readonly string[]): Promise<Ran> {
    return this.kubectlWith('', ...args)
  }

  kubectlWith(input: string, ...args: readonly string[]): Promise<Ran> {
    const env = { KUBECONFIG: this.api.kubeconfig, HOME: this.directory, KUBECACHEDIR: join(this.directory, 'cache') }
    return run('kubectl', args, { env, input, timeoutMs: 170_000 })
  }

  /** Standard output of what has to succeed. */
  async done(...args: readonly string[]): Promise<string> {
    const ran = await this.kubectl(...args)
    if (ran.code === 0) return ran.stdout
    throw new Error(`kubectl ${args.join(' ')}: ${ran.stderr}\n${this.kubelet.logs}`)
  }

  /** The chart with its defaults and these values over them, by server-side apply with strict validation. */
  async install(values: Readonly<Record<string, object | string>>): Promise<string> {
    const whole: Record<string, unknown> = { ...parse(await readFile(join(CHART, 'values.yaml'), 'utf8')) }
    for (const [name, value] of Object.entries(values))
      whole[name] = typeof value === 'string' ? value : { ...Object(whole[name]), ...value }
    const files = globSync('templates/[0-9]*.yaml', { cwd: CHART }).sort()
    const texts = await Promise.all(files.map((file) => readFile(join(CHART, file), 'utf8')))
    const text = texts.map((each) => render(each, whole)).join('\n')
    const ran = await this.kubectlWith(text, 'apply', '--server-side', '--validate=strict', '-f', '-')
    if (ran.code === 0) return ran.stdout
    throw new Error(ran.stderr)
  }

  async untilReady(count: number): Promise<readonly PlayedPod[]> {
    try {
      return await eventually(
        `${count} pods are ready`,
        async () => {
          const { ready } = this.kubelet
          return ready.length === count ? ready : undefined
        },
        START_DEADLINE,
      )
    } catch (error) {
      throw new Error(this.kubelet.logs, { cause: error })
    }
  }

  /** A field by a JSON path of kubectl; no name means the list. */
  untilField(kind: string, name: string, path: string, wanted: string, namespace = 'default'): Promise<string> {
    const object = name === '' ? [kind] : [kind, name]
    return eventually(`${path} of ${kind} ${name} is ${wanted}`, async () => {
      const text = await this.done('get', ...object, '-n', namespace, '-o', `jsonpath=${path}`)
      if (text === wanted) return text
      throw new Error(`it is ${text}`)
    })
  }

  /** What was asked of the API from the beginning; it ends with that. */
  async auditOf(user: string): Promise<readonly AuditEvent[]> {
    await this.#end()
    const lines = (await readFile(join(this.directory, 'audit.log'), 'utf8')).trim().split('\n')
    const events: readonly AuditEvent[] = lines.map((line) => JSON.parse(line))
    return events.filter((event) => event.user.username === user)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end()
    await removeDirectory(this.directory)
  }

  async #end(): Promise<void> {
    if (!this.#isServing) return
    this.#isServing = false
    await this.kubelet[Symbol.asyncDispose]()
    for (const service of [this.cloudhub, this.certificates, this.#road]) await service[Symbol.asyncDispose]()
    await this.api[Symbol.asyncDispose]()
  }
}
