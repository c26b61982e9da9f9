import type { Message } from './methods.ts'
import type {
  Container,
  ContainerEvent,
  ContainerState,
  ContainerStats,
  ContainerStatus,
  ExecResult,
  FilesystemUsage,
  Image,
  Labels,
  RuntimeStatus,
  RuntimeVersion,
  Sandbox,
  SandboxStatus,
} from './runtime.ts'

/** What a runtime answers, in the words of the port. A field that is absent, or no such thing, is empty. */

const NANOSECONDS = 1_000_000
const STATES: Readonly<Record<string, ContainerState>> = {
  CONTAINER_CREATED: 'created',
  CONTAINER_RUNNING: 'running',
  CONTAINER_EXITED: 'exited',
}
const EVENTS: Readonly<Record<string, ContainerEvent['type']>> = {
  CONTAINER_CREATED_EVENT: 'created',
  CONTAINER_STARTED_EVENT: 'started',
  CONTAINER_STOPPED_EVENT: 'stopped',
  CONTAINER_DELETED_EVENT: 'deleted',
}

/** What not every runtime tells. */
const MORE_OF_MEMORY = [
  ['usedBytes', 'usageBytes'],
  ['rssBytes', 'rssBytes'],
  ['pageFaults', 'pageFaults'],
  ['majorPageFaults', 'majorPageFaults'],
] as const

export function text(message: Message, field: string): string {
  const value = message[field]
  return typeof value === 'string' ? value : ''
}

export function list<T>(message: Message, field: string, of: (item: Message) => T): readonly T[] {
  const value = message[field]
  return Array.isArray(value) ? value.filter(isMessage).map(of) : []
}

export function version(message: Message): RuntimeVersion {
  return {
    name: text(message, 'runtimeName'),
    version: text(message, 'runtimeVersion'),
    apiVersion: text(message, 'runtimeApiVersion'),
  }
}

export function runtimeStatus(message: Message): RuntimeStatus {
  const conditions = list(below(message, 'status'), 'conditions', (condition) => ({
    type: text(condition, 'type'),
    status: condition['status'] === true,
    reason: text(condition, 'reason'),
    message: text(condition, 'message'),
  }))
  return { conditions, handlers: list(message, 'runtimeHandlers', (handler) => text(handler, 'name')) }
}

export function sandbox(message: Message): Sandbox {
  const metadata = below(message, 'metadata')
  return {
    id: text(message, 'id'),
    metadata: {
      name: text(metadata, 'name'),
      uid: text(metadata, 'uid'),
      namespace: text(metadata, 'namespace'),
      attempt: number(metadata, 'attempt'),
    },
    isReady: message['state'] === 'SANDBOX_READY',
    createdAt: time(message, 'createdAt'),
    labels: labels(message, 'labels'),
    annotations: labels(message, 'annotations'),
    handler: text(message, 'runtimeHandler'),
  }
}

export function sandboxStatus(message: Message): SandboxStatus {
  const status = below(message, 'status')
  const network = below(status, 'network')
  const first = text(network, 'ip')
  const others = list(network, 'additionalIps', (each) => text(each, 'ip'))
  return { ...sandbox(status), ips: first === '' ? [] : [first, ...others] }
}

export function container(message: Message): Container {
  return { ...common(message), sandbox: text(message, 'podSandboxId') }
}

export function containerStatus(message: Message): ContainerStatus {
  const status = below(message, 'status')
  return {
    ...common(status),
    startedAt: time(status, 'startedAt'),
    finishedAt: time(status, 'finishedAt'),
    exitCode: number(status, 'exitCode'),
    reason: text(status, 'reason'),
    message: text(status, 'message'),
    logPath: text(status, 'logPath'),
  }
}

export function execResult(message: Message): ExecResult {
  return { stdout: bytes(message, 'stdout'), stderr: bytes(message, 'stderr'), exitCode: number(message, 'exitCode') }
}

export function stats(message: Message): ContainerStats {
  const attributes = below(message, 'attributes')
  const [cpu, memory, disk] = ['cpu', 'memory', 'writableLayer'].map((part) => below(message, part))
  const told = (part: Message = {}, field: string) => below(part, field)['value']
  const whole = (part: Message | undefined, field: string) => number(below(part ?? {}, field), 'value')
  const at = time(cpu ?? {}, 'timestamp')
  return {
    id: text(attributes, 'id'),
    labels: labels(attributes, 'labels'),
    cpuNanoseconds: whole(cpu, 'usageCoreNanoSeconds'),
    memoryBytes: whole(memory, 'workingSetBytes'),
    diskBytes: whole(disk, 'usedBytes'),
    ...(at === 0 ? {} : { at }),
    ...Object.fromEntries(
      MORE_OF_MEMORY.flatMap(([name, field]) => {
        const value = told(memory, field)
        return typeof value === 'number' && value > 0 ? [[name, value]] : []
      }),
    ),
    ...(told(disk, 'inodesUsed') === undefined ? {} : { diskInodes: whole(disk, 'inodesUsed') }),
  }
}

export function event(message: Message): ContainerEvent {
  return {
    containerId: text(message, 'containerId'),
    type: EVENTS[text(message, 'containerEventType')] ?? 'created',
    podUid: text(below(below(message, 'podSandboxStatus'), 'metadata'), 'uid'),
  }
}

export function image(message: Message): Image {
  const uid = below(message, 'uid')
  return {
    id: text(message, 'id'),
    tags: texts(message, 'repoTags'),
    digests: texts(message, 'repoDigests'),
    bytes: number(message, 'size'),
    ...(typeof uid['value'] === 'number' ? { uid: uid['value'] } : {}),
    username: text(message, 'username'),
    isPinned: message['pinned'] === true,
  }
}

/** An image that is not there is answered with nothing, and not with an error. */
export function imageOf(message: Message): Image | undefined {
  return isMessage(message['image']) ? image(message['image']) : undefined
}

export function filesystem(message: Message): FilesystemUsage {
  return {
    mountpoint: text(below(message, 'fsId'), 'mountpoint'),
    usedBytes: number(below(message, 'usedBytes'), 'value'),
    usedInodes: number(below(message, 'inodesUsed'), 'value'),
  }
}

function common(message: Message): Omit<Container, 'sandbox'> {
  const metadata = below(message, 'metadata')
  return {
    id: text(message, 'id'),
    metadata: { name: text(metadata, 'name'), attempt: number(metadata, 'attempt') },
    image: text(below(message, 'image'), 'image'),
    imageRef: text(message, 'imageRef'),
    state: STATES[text(message, 'state')] ?? 'unknown',
    createdAt: time(message, 'createdAt'),
    labels: labels(message, 'labels'),
    annotations: labels(message, 'annotations'),
  }
}

function below(message: Message, field: string): Message {
  const value = message[field]
  return isMessage(value) ? value : {}
}

function isMessage(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function number(message: Message, field: string): number {
  const value = message[field]
  return typeof value === 'number' ? value : 0
}

/** Unix ms of Unix ns. */
function time(message: Message, field: string): number {
  return number(message, field) / NANOSECONDS
}

function texts(message: Message, field: string): readonly string[] {
  const value = message[field]
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
}

function labels(message: Message, field: string): Labels {
  const found = Object.entries(below(message, field)).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  )
  return Object.fromEntries(found)
}

function bytes(message: Message, field: string): Buffer {
  const value = message[field]
  return value instanceof Uint8Array ? Buffer.from(value) : Buffer.alloc(0)
}
