import { watch } from '../../../../hub/apiserver/testing/objects.ts'
import { ask } from '../../../../hub/apiserver/testing/request.ts'
import type { ServedApi } from '../../../../hub/apiserver/testing/serve.ts'
import { isApiObject, isDeleting, nameOf, objectAt, textAt, timestamp } from '../../../../hub/kube/object/index.ts'
import type { ApiObject } from '../../../../hub/kube/resource.ts'
import { systemClock } from '../../../../platform/time/index.ts'
import { PlayedPod } from './played-pod.ts'

export interface KubeletOptions {
  readonly api: Pick<ServedApi, 'url' | 'pki'>
  readonly node: string
  readonly namespace: string
  /** For the files of the pods. */
  readonly folder: string
  /** Where the API is for the pods. */
  readonly apiPort: number
}

const PROBE_EVERY_MS = 200
const HEADERS = { 'content-type': 'application/merge-patch+json' }

/** A node of the cluster that runs the pods of one namespace as processes, probes them and tells how they are. */
export class PlayedKubelet implements AsyncDisposable {
  readonly #options: KubeletOptions
  readonly #pods = new Map<string, PlayedPod>()
  readonly #ready = new Set<PlayedPod>()
  readonly #work = new Set<Promise<unknown>>()
  readonly #stop = new AbortController()
  /** Of pods that ended when they were asked to. */
  readonly exitCodes: (number | null)[] = []

  private constructor(options: KubeletOptions) {
    this.#options = options
  }

  static async start(options: KubeletOptions): Promise<PlayedKubelet> {
    const { api, node: name, namespace } = options
    const labels = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' }
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name, labels } }
    const made = await ask(api, { method: 'POST', path: '/api/v1/nodes', body: node })
    if (made.status !== 201) throw new Error(made.text)
    const kubelet = new PlayedKubelet(options)
    const watching = await watch(api, `/api/v1/namespaces/${namespace}/pods?watch=true`)
    kubelet.#stop.signal.addEventListener('abort', () => watching[Symbol.dispose]())
    const follow = async () => {
      for (;;) {
        const { object } = await watching.next()
        if (isApiObject(object) && textAt(objectAt(object, 'spec'), 'nodeName') === name) kubelet.#see(object)
      }
    }
    // Ends with the watch.
    void follow().catch(() => undefined)
    return kubelet
  }

  /** Those whose readiness probe is content. */
  get ready(): readonly PlayedPod[] {
    return [...this.#ready]
  }

  get logs(): string {
    return [...this.#pods.values()].map(({ name, log }) => `${name}:\n${log.slice(-3000)}`).join('\n')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await Promise.allSettled(this.#work)
    for (const pod of this.#pods.values()) await pod.end('SIGKILL')
  }

  #see(object: ApiObject): void {
    const uid = String(object.metadata['uid'])
    const work = isDeleting(object) ? this.#end(uid, object) : this.#run(uid, object)
    this.#work.add(work)
    void work.finally(() => this.#work.delete(work)).catch(() => undefined)
  }

  readonly #known = new Set<string>()
  readonly #ending = new Set<string>()

  async #run(uid: string, object: ApiObject): Promise<void> {
    if (this.#known.has(uid)) return
    this.#known.add(uid)
    const { api, folder, apiPort } = this.#options
    const access = { apiPort, ca: api.pki.ca, token: await this.#token(uid, object) }
    const pod = await PlayedPod.start(object, folder, access)
    this.#pods.set(uid, pod)
    await this.#probe(uid, object, pod)
  }

  async #probe(uid: string, object: ApiObject, pod: PlayedPod): Promise<void> {
    let told: boolean | undefined
    while (!this.#stop.signal.aborted && !this.#ending.has(uid)) {
      const isReady = await pod.probe('readinessProbe')
      if (isReady) this.#ready.add(pod)
      else this.#ready.delete(pod)
      if (told !== isReady) await this.#tell(object, isReady)
      told = isReady
      await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY_MS))
    }
    this.#ready.delete(pod)
  }

  async #end(uid: string, object: ApiObject): Promise<void> {
    if (this.#ending.has(uid)) return
    this.#ending.add(uid)
    const pod = this.#pods.get(uid)
    if (pod) {
      this.#ready.delete(pod)
      this.exitCodes.push(await pod.end('SIGTERM'))
      this.#pods.delete(uid)
    }
    await ask(this.#options.api, { method: 'DELETE', path: `${this.#pathOf(object)}?gracePeriodSeconds=0` })
  }

  /** As it is projected into pods: bound to them, so that it ends with them. */
  async #token(uid: string, object: ApiObject): Promise<string> {
    const { api, namespace } = this.#options
    const account = textAt(objectAt(object, 'spec'), 'serviceAccountName')
    const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: nameOf(object), uid }
    const body = {
      ...{ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest' },
      spec: { expirationSeconds: 3607, boundObjectRef },
    }
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`
    const { status, text, json } = await ask(api, { method: 'POST', path, body })
    if (status !== 201) throw new Error(text)
    return String(Object(json).status.token)
  }

  async #tell(object: ApiObject, isReady: boolean): Promise<void> {
    const lastTransitionTime = timestamp(systemClock.now())
    const state = { running: { startedAt: lastTransitionTime } }
    const shared = { ready: isReady, restartCount: 0, image: '', imageID: '', state }
    const status = {
      ...{ phase: 'Running', podIP: '127.0.0.1', podIPs: [{ ip: '127.0.0.1' }] },
      conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False', lastTransitionTime }],
      containerStatuses: [{ name: 'cloud', ...shared }],
    }
    const path = `${this.#pathOf(object)}/status`
    await ask(this.#options.api, { method: 'PATCH', path, headers: HEADERS, body: { status } })
  }

  #pathOf(object: ApiObject): string {
    return `/api/v1/namespaces/${this.#options.namespace}/pods/${nameOf(object)}`
  }
}
