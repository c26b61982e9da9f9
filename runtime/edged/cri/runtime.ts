import type { Duration } from '../../../platform/time/index.ts'

/**
 * What Edged needs of a container runtime: CRI v1, in its words. All calls have a deadline of their own. They reject with an
 * UnavailableError while the runtime does not answer, and with a RefusedError, in the runtime's words, where it will not.
 */
export interface ContainerRuntime extends AsyncDisposable {
  version(signal?: AbortSignal): Promise<RuntimeVersion>
  status(signal?: AbortSignal): Promise<RuntimeStatus>

  /** Makes the sandbox with its network; its id. `handler` is empty for the default one. */
  runSandbox(config: SandboxConfig, handler: string, signal?: AbortSignal): Promise<string>
  /** Ends all in it and takes its network away. Repeating it is harmless. */
  stopSandbox(id: string, signal?: AbortSignal): Promise<void>
  removeSandbox(id: string, signal?: AbortSignal): Promise<void>
  /** Nothing for one that the runtime does not know. */
  sandboxStatus(id: string, signal?: AbortSignal): Promise<SandboxStatus | undefined>
  listSandboxes(labels?: Labels, signal?: AbortSignal): Promise<readonly Sandbox[]>

  createContainer(
    sandbox: string,
    config: ContainerConfig,
    sandboxConfig: SandboxConfig,
    signal?: AbortSignal,
  ): Promise<string>
  startContainer(id: string, signal?: AbortSignal): Promise<void>
  /** SIGTERM (or what the image says), then SIGKILL after the grace; settles when it has ended. */
  stopContainer(id: string, grace: Duration, signal?: AbortSignal): Promise<void>
  removeContainer(id: string, signal?: AbortSignal): Promise<void>
  containerStatus(id: string, signal?: AbortSignal): Promise<ContainerStatus | undefined>
  listContainers(labels?: Labels, signal?: AbortSignal): Promise<readonly Container[]>
  updateResources(id: string, resources: LinuxResources, signal?: AbortSignal): Promise<void>
  /** After its log file was moved away. */
  reopenLog(id: string, signal?: AbortSignal): Promise<void>
  /** Runs a command to its end; an UnavailableError with code EDGED_EXEC_TIMEOUT where that takes longer than `timeout`. */
  execSync(id: string, command: readonly string[], timeout: Duration, signal?: AbortSignal): Promise<ExecResult>
  containerStats(labels?: Labels, signal?: AbortSignal): Promise<readonly ContainerStats[]>
  /** News of containers; rejects with a RefusedError where the runtime has none to give (containerd before 1.7). */
  events(signal: AbortSignal): AsyncIterable<ContainerEvent>

  /** URLs of the runtime's streaming server, each for one connection. */
  exec(request: ExecRequest, signal?: AbortSignal): Promise<string>
  attach(request: AttachRequest, signal?: AbortSignal): Promise<string>
  portForward(sandbox: string, ports: readonly number[], signal?: AbortSignal): Promise<string>

  listImages(signal?: AbortSignal): Promise<readonly Image[]>
  imageStatus(reference: string, signal?: AbortSignal): Promise<Image | undefined>
  /** What the image is called by its digest or id. */
  pullImage(reference: string, auth: ImageAuth | undefined, signal?: AbortSignal): Promise<string>
  removeImage(reference: string, signal?: AbortSignal): Promise<void>
  imageFilesystems(signal?: AbortSignal): Promise<readonly FilesystemUsage[]>
}

export type Labels = Readonly<Record<string, string>>

export interface RuntimeVersion {
  /** `containerd`, `cri-o`. */
  readonly name: string
  readonly version: string
  readonly apiVersion: string
}

export interface RuntimeStatus {
  /** `RuntimeReady` and `NetworkReady`, and what else the runtime has to say. */
  readonly conditions: readonly RuntimeCondition[]
  readonly handlers: readonly string[]
}

export interface RuntimeCondition {
  readonly type: string
  readonly status: boolean
  readonly reason: string
  readonly message: string
}

export interface SandboxMetadata {
  readonly name: string
  readonly uid: string
  readonly namespace: string
  /** Counts the sandboxes of one pod. */
  readonly attempt: number
}

export interface SandboxConfig {
  readonly metadata: SandboxMetadata
  readonly hostname?: string
  /** Where logs of its containers are; their `logPath` is relative to it. */
  readonly logDirectory?: string
  readonly dnsConfig?: DnsConfig
  readonly portMappings?: readonly PortMapping[]
  readonly labels?: Labels
  readonly annotations?: Labels
  readonly linux?: {
    readonly cgroupParent?: string
    readonly securityContext?: SandboxSecurity
    readonly sysctls?: Labels
    readonly overhead?: LinuxResources
    readonly resources?: LinuxResources
  }
}

export interface DnsConfig {
  readonly servers: readonly string[]
  readonly searches: readonly string[]
  readonly options: readonly string[]
}

export interface PortMapping {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP'
  readonly containerPort: number
  readonly hostPort: number
  readonly hostIp?: string
}

export type NamespaceMode = 'POD' | 'CONTAINER' | 'NODE' | 'TARGET'

export interface NamespaceOption {
  readonly network: NamespaceMode
  readonly pid: NamespaceMode
  readonly ipc: NamespaceMode
  readonly targetId?: string
}

export interface SelinuxOption {
  readonly user?: string
  readonly role?: string
  readonly type?: string
  readonly level?: string
}

export interface SecurityProfile {
  readonly profileType: 'RuntimeDefault' | 'Unconfined' | 'Localhost'
  readonly localhostRef?: string
}

interface Security {
  readonly namespaceOptions?: NamespaceOption
  readonly selinuxOptions?: SelinuxOption
  readonly runAsUser?: { readonly value: number }
  readonly runAsGroup?: { readonly value: number }
  readonly readonlyRootfs?: boolean
  readonly supplementalGroups?: readonly number[]
  readonly privileged?: boolean
  readonly seccomp?: SecurityProfile
  readonly apparmor?: SecurityProfile
}

export type SandboxSecurity = Security

export interface ContainerSecurity extends Security {
  readonly capabilities?: { readonly addCapabilities: readonly string[]; readonly dropCapabilities: readonly string[] }
  readonly runAsUsername?: string
  readonly noNewPrivs?: boolean
  readonly maskedPaths?: readonly string[]
  readonly readonlyPaths?: readonly string[]
}

export interface LinuxResources {
  /** µs. */
  readonly cpuPeriod?: number
  /** µs in each period; negative: no limit. */
  readonly cpuQuota?: number
  readonly cpuShares?: number
  readonly memoryLimitInBytes?: number
  readonly oomScoreAdj?: number
  readonly hugepageLimits?: readonly { readonly pageSize: string; readonly limit: number }[]
  /** Settings of cgroup v2 by their file. */
  readonly unified?: Labels
}

export interface Mount {
  readonly containerPath: string
  readonly hostPath: string
  readonly readonly?: boolean
  readonly selinuxRelabel?: boolean
  readonly propagation?: 'PROPAGATION_PRIVATE' | 'PROPAGATION_HOST_TO_CONTAINER' | 'PROPAGATION_BIDIRECTIONAL'
}

export interface ContainerMetadata {
  readonly name: string
  /** Counts the containers of one name in one sandbox. */
  readonly attempt: number
}

export interface ContainerConfig {
  readonly metadata: ContainerMetadata
  readonly image: { readonly image: string }
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly workingDir?: string
  readonly envs?: readonly { readonly key: string; readonly value: Uint8Array }[]
  readonly mounts?: readonly Mount[]
  readonly devices?: readonly {
    readonly containerPath: string
    readonly hostPath: string
    readonly permissions: string
  }[]
  readonly labels?: Labels
  readonly annotations?: Labels
  readonly logPath?: string
  readonly stdin?: boolean
  readonly stdinOnce?: boolean
  readonly tty?: boolean
  readonly linux?: { readonly resources?: LinuxResources; readonly securityContext?: ContainerSecurity }
}

export interface Sandbox {
  readonly id: string
  readonly metadata: SandboxMetadata
  readonly isReady: boolean
  /** Unix ms. */
  readonly createdAt: number
  readonly labels: Labels
  readonly annotations: Labels
  readonly handler: string
}

export interface SandboxStatus extends Sandbox {
  /** Its addresses, the first one first; none on the network of the host. */
  readonly ips: readonly string[]
}

export type ContainerState = 'created' | 'running' | 'exited' | 'unknown'

export interface Container {
  readonly id: string
  readonly sandbox: string
  readonly metadata: ContainerMetadata
  readonly image: string
  readonly imageRef: string
  readonly state: ContainerState
  /** Unix ms. */
  readonly createdAt: number
  readonly labels: Labels
  readonly annotations: Labels
}

export interface ContainerStatus extends Omit<Container, 'sandbox'> {
  /** Unix ms; 0: not yet. */
  readonly startedAt: number
  readonly finishedAt: number
  readonly exitCode: number
  /** `Completed`, `Error`, `OOMKilled`, ... */
  readonly reason: string
  readonly message: string
  readonly logPath: string
}

export interface ExecResult {
  readonly stdout: Buffer
  readonly stderr: Buffer
  readonly exitCode: number
}

export interface ExecRequest {
  readonly containerId: string
  readonly cmd: readonly string[]
  readonly tty: boolean
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
}

export type AttachRequest = Omit<ExecRequest, 'cmd'>

export interface ContainerStats {
  readonly id: string
  readonly labels: Labels
  /** Processor time since its start, ns. */
  readonly cpuNanoseconds: number
  /** Working set. */
  readonly memoryBytes: number
  readonly diskBytes: number
  /** Of the processor time, Unix ms; this and what follows is absent where the runtime does not tell. */
  readonly at?: number
  readonly usedBytes?: number
  readonly rssBytes?: number
  readonly pageFaults?: number
  readonly majorPageFaults?: number
  readonly diskInodes?: number
}

export interface ContainerEvent {
  readonly containerId: string
  readonly type: 'created' | 'started' | 'stopped' | 'deleted'
  /** uid of its pod; empty where the runtime does not say. */
  readonly podUid: string
}

export interface Image {
  readonly id: string
  readonly tags: readonly string[]
  readonly digests: readonly string[]
  readonly bytes: number
  /** Whom it runs as, where it says so by number or by name. */
  readonly uid?: number
  readonly username: string
  readonly isPinned: boolean
}

export interface ImageAuth {
  readonly username?: string
  readonly password?: string
  /** Base64 of `username:password`. */
  readonly auth?: string
  readonly serverAddress?: string
  readonly identityToken?: string
  readonly registryToken?: string
}

export interface FilesystemUsage {
  readonly mountpoint: string
  readonly usedBytes: number
  readonly usedInodes: number
}
