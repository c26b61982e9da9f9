import type { Clock } from '../../../platform/time/index.ts'
import type { Message } from '../cri/methods.ts'
import { type ChannelScripts, notFound, refusal, scriptedChannel } from './scripted-channel.ts'

export interface MemorySandbox {
  readonly id: string
  readonly name: string
  readonly config: Message
  readonly createdAt: number
  isReady: boolean
}

export interface MemoryContainer {
  readonly id: string
  readonly name: string
  readonly attempt: number
  readonly sandbox: string
  readonly config: Message
  readonly createdAt: number
  state: 'CREATED' | 'RUNNING' | 'EXITED' | 'UNKNOWN'
  startedAt: number
  finishedAt: number
  exitCode: number
}

/** How a test has a call answered: what the runtime would say is asked by `usual`. */
export type Answer = (
  request: Message,
  usual: () => Message,
  signal: AbortSignal | undefined,
) => Message | Promise<Message>

const NANOSECONDS = 1_000_000

/** A container runtime in memory, on virtual time, that does what a test makes of it. */
export class MemoryCri {
  readonly sandboxes = new Map<string, MemorySandbox>()
  readonly containers = new Map<string, MemoryContainer>()
  /** Images that it has; a pull brings one. */
  readonly images = new Set<string>(['till:1'])
  /** By method. */
  readonly answers = new Map<string, Answer>()
  readonly channel
  readonly #clock: Clock
  #made = 0

  constructor(clock: Clock) {
    this.#clock = clock
    const usual = this.#scripts()
    const scripts = Object.entries(usual).map(([method, script]): [string, ChannelScripts[string]] => [
      method,
      (request, signal) => {
        const answer = this.answers.get(method) ?? this.answers.get('*')
        return answer ? answer(request, () => script(request), signal) : script(request)
      },
    ])
    this.channel = scriptedChannel(Object.fromEntries(scripts), clock)
  }

  /** `app-0 RUNNING`, in the order of their making. */
  get containersNow(): readonly string[] {
    return [...this.containers.values()].map(({ name, attempt, state }) => `${name}-${attempt} ${state}`)
  }

  /** The newest container of a name. */
  container(name = 'app'): MemoryContainer {
    const found = [...this.containers.values()].findLast((each) => each.name === name)
    if (!found) throw new RangeError(`there is no container ${name}`)
    return found
  }

  exit(container: MemoryContainer, exitCode: number): void {
    Object.assign(container, { state: 'EXITED', exitCode, finishedAt: this.#clock.now() })
  }

  forgetAll(): void {
    this.sandboxes.clear()
    this.containers.clear()
  }

  #scripts(): Record<string, (request: Message) => Message> {
    return {
      Version: () => ({ runtimeName: 'memory', runtimeVersion: '1', runtimeApiVersion: 'v1' }),
      Status: () => ({ status: { conditions: [] } }),
      RunPodSandbox: ({ config }) => ({ podSandboxId: this.#makeSandbox(Object(config)) }),
      StopPodSandbox: ({ podSandboxId }) => this.#stopSandbox(String(podSandboxId)),
      RemovePodSandbox: ({ podSandboxId }) => this.#removed(this.sandboxes, podSandboxId),
      PodSandboxStatus: ({ podSandboxId }) => ({ status: sandboxMessage(known(this.sandboxes, podSandboxId)) }),
      ListPodSandbox: ({ filter }) => ({
        items: [...this.sandboxes.values()].map(sandboxMessage).filter(wanted(filter)),
      }),
      CreateContainer: (request) => this.#create(request),
      StartContainer: ({ containerId }) => this.#start(known(this.containers, containerId)),
      StopContainer: ({ containerId }) => this.#stop(known(this.containers, containerId)),
      RemoveContainer: ({ containerId }) => this.#removed(this.containers, containerId),
      ContainerStatus: ({ containerId }) => ({ status: containerMessage(known(this.containers, containerId)) }),
      ListContainers: ({ filter }) => ({
        containers: [...this.containers.values()].map(containerMessage).filter(wanted(filter)),
      }),
      ExecSync: () => ({ exitCode: 0 }),
      ImageStatus: ({ image }) => {
        const id = String(Object(image).image).replace(/^docker\.io\/library\//, '')
        return this.images.has(id) ? { image: { id, size: 1 } } : {}
      },
      PullImage: ({ image }) => {
        const id = String(Object(image).image).replace(/^docker\.io\/library\//, '')
        this.images.add(id)
        return { imageRef: id }
      },
    }
  }

  /** Later ones are later, also within one moment. */
  #now(): number {
    return this.#clock.now() * NANOSECONDS + ++this.#made * 1000
  }

  #makeSandbox(config: Message): string {
    const id = `s-${this.#made}`
    const name = String(Object(config['metadata']).name)
    this.sandboxes.set(id, { id, name, config, createdAt: this.#now(), isReady: true })
    return id
  }

  #stopSandbox(id: string): Message {
    const sandbox = known(this.sandboxes, id)
    sandbox.isReady = false
    for (const each of this.containers.values())
      if (each.sandbox === id && each.state === 'RUNNING') this.exit(each, 137)
    return {}
  }

  #create({ podSandboxId, config }: Message): Message {
    const { isReady } = known(this.sandboxes, podSandboxId)
    if (!isReady) throw refusal(`sandbox ${String(podSandboxId)} is not ready`)
    const { metadata } = Object(config)
    const name = String(metadata.name)
    const attempt = Number(metadata.attempt)
    const sandbox = String(podSandboxId)
    const isTaken = [...this.containers.values()].some(
      (each) => each.sandbox === sandbox && each.name === name && each.attempt === attempt,
    )
    if (isTaken) throw refusal(`name "${name}_${attempt}" is reserved`)
    const id = `c-${this.#made}`
    const facts = { id, name, attempt, sandbox, config: Object(config), createdAt: this.#now() }
    this.containers.set(id, { ...facts, state: 'CREATED', startedAt: 0, finishedAt: 0, exitCode: 0 })
    return { containerId: id }
  }

  #start(container: MemoryContainer): Message {
    if (container.state !== 'CREATED') throw refusal(`container ${container.id} is in state ${container.state}`)
    Object.assign(container, { state: 'RUNNING', startedAt: this.#clock.now() })
    return {}
  }

  #stop(container: MemoryContainer): Message {
    if (container.state !== 'EXITED') this.exit(container, 143)
    return {}
  }

  #removed(from: Map<string, unknown>, id: unknown): Message {
    known(from, id)
    from.delete(String(id))
    return {}
  }
}

function known<T>(all: ReadonlyMap<string, T>, id: unknown): T {
  const found = all.get(String(id))
  if (found === undefined) throw notFound(id)
  return found
}

function sandboxMessage({ id, isReady, createdAt, config }: MemorySandbox): Message {
  const { metadata, labels, annotations } = Object(config)
  const state = isReady ? 'SANDBOX_READY' : 'SANDBOX_NOTREADY'
  return { id, metadata, labels, annotations, state, createdAt, network: { ip: '10.88.0.2' } }
}

function containerMessage(container: MemoryContainer): Message {
  const { id, sandbox, state, createdAt, startedAt, finishedAt, exitCode } = container
  const { metadata, labels, annotations, image } = Object(container.config)
  return {
    ...{ id, metadata, labels, annotations, image, imageRef: 'sha256:1', podSandboxId: sandbox },
    ...{ state: `CONTAINER_${state}`, createdAt, exitCode },
    ...{ startedAt: startedAt * NANOSECONDS, finishedAt: finishedAt * NANOSECONDS },
  }
}

function wanted(filter: unknown) {
  const selector = Object.entries(Object(Object(filter).labelSelector))
  return ({ labels }: Message) => selector.every(([name, value]) => Object(labels)[name] === value)
}
