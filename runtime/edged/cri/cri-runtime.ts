import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import { type Clock, type Duration, minutes, ms, seconds } from '../../../platform/time/index.ts'
import * as read from './answers.ts'
import { type CriChannel, isNotFound, isTimeout } from './channel.ts'
import type { Message } from './methods.ts'
import type { ContainerRuntime } from './runtime.ts'

/** Of calls that only look. */
const LOOK = seconds(10)
/** Of calls that change something: disks of small gateways are slow. */
const CHANGE = minutes(2)
/** A network plugin may have to wait for others. */
const RUN_SANDBOX = minutes(4)
/** Large images over a slow line. */
const PULL = minutes(60)
/** For the runtime's own work beside what it was told to wait for. */
const BESIDE = seconds(30)
const API = 'v1'

/** A container runtime behind its CRI socket: `unix:///run/containerd/containerd.sock`, or a path. */
export async function openContainerRuntime(endpoint: string, clock: Clock): Promise<ContainerRuntime> {
  const { openCriChannel } = await import('./grpc-channel.ts')
  return runtimeOver(await openCriChannel(endpoint, clock))
}

export function runtimeOver(channel: CriChannel): ContainerRuntime {
  const look = (method: string, request: Message, signal?: AbortSignal) => channel.call(method, request, LOOK, signal)
  const change = (method: string, request: Message, signal?: AbortSignal, deadline: Duration = CHANGE) =>
    channel.call(method, request, deadline, signal)
  /** Nothing for what the runtime does not know. */
  const known = async <T>(answer: Promise<Message>, of: (message: Message) => T): Promise<T | undefined> => {
    try {
      return of(await answer)
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }
  /** What is gone already is as it should be. */
  const gone = async (answer: Promise<Message>): Promise<void> => void (await known(answer, () => undefined))

  return {
    version: async (signal) => read.version(await look('Version', { version: API }, signal)),
    status: async (signal) => read.runtimeStatus(await look('Status', {}, signal)),

    runSandbox: async (config, handler, signal) =>
      read.text(
        await change('RunPodSandbox', { config, runtimeHandler: handler }, signal, RUN_SANDBOX),
        'podSandboxId',
      ),
    stopSandbox: (id, signal) => gone(change('StopPodSandbox', { podSandboxId: id }, signal)),
    removeSandbox: (id, signal) => gone(change('RemovePodSandbox', { podSandboxId: id }, signal)),
    sandboxStatus: (id, signal) => known(look('PodSandboxStatus', { podSandboxId: id }, signal), read.sandboxStatus),
    listSandboxes: async (labels = {}, signal) =>
      read.list(await look('ListPodSandbox', { filter: { labelSelector: labels } }, signal), 'items', read.sandbox),

    createContainer: async (sandbox, config, sandboxConfig, signal) =>
      read.text(
        await change('CreateContainer', { podSandboxId: sandbox, config, sandboxConfig }, signal),
        'containerId',
      ),
    startContainer: async (id, signal) => void (await change('StartContainer', { containerId: id }, signal)),
    stopContainer: (id, grace, signal) => {
      const timeout = Math.max(0, Math.ceil(grace.milliseconds / 1000))
      const deadline = ms(timeout * 1000 + BESIDE.milliseconds)
      return gone(change('StopContainer', { containerId: id, timeout }, signal, deadline))
    },
    removeContainer: (id, signal) => gone(change('RemoveContainer', { containerId: id }, signal)),
    containerStatus: (id, signal) => known(look('ContainerStatus', { containerId: id }, signal), read.containerStatus),
    listContainers: async (labels = {}, signal) =>
      read.list(
        await look('ListContainers', { filter: { labelSelector: labels } }, signal),
        'containers',
        read.container,
      ),
    updateResources: async (id, linux, signal) =>
      void (await change('UpdateContainerResources', { containerId: id, linux }, signal)),
    reopenLog: async (id, signal) => void (await change('ReopenContainerLog', { containerId: id }, signal)),
    async execSync(id, cmd, timeout, signal) {
      // The runtime counts whole seconds; zero means for ever.
      const whole = Math.max(1, Math.ceil(timeout.milliseconds / 1000))
      const deadline = ms(whole * 1000 + BESIDE.milliseconds)
      try {
        return read.execResult(await change('ExecSync', { containerId: id, cmd, timeout: whole }, signal, deadline))
      } catch (error) {
        if (!isTimeout(error)) throw error
        throw new UnavailableError(`the command did not end within ${whole} s`, {
          code: 'EDGED_EXEC_TIMEOUT',
          fields: { container: id },
          cause: error,
        })
      }
    },
    containerStats: async (labels = {}, signal) =>
      read.list(await look('ListContainerStats', { filter: { labelSelector: labels } }, signal), 'stats', read.stats),
    async *events(signal) {
      for await (const message of channel.stream('GetContainerEvents', {}, signal)) yield read.event(message)
    },

    exec: async (request, signal) => read.text(await look('Exec', { ...request }, signal), 'url'),
    attach: async (request, signal) => read.text(await look('Attach', { ...request }, signal), 'url'),
    portForward: async (sandbox, port, signal) =>
      read.text(await look('PortForward', { podSandboxId: sandbox, port }, signal), 'url'),

    listImages: async (signal) => read.list(await look('ListImages', {}, signal), 'images', read.image),
    imageStatus: async (image, signal) => read.imageOf(await look('ImageStatus', { image: { image } }, signal)),
    pullImage: async (image, auth, signal) =>
      read.text(await change('PullImage', { image: { image }, ...(auth ? { auth } : {}) }, signal, PULL), 'imageRef'),
    removeImage: (image, signal) => gone(change('RemoveImage', { image: { image } }, signal)),
    imageFilesystems: async (signal) =>
      read.list(await look('ImageFsInfo', {}, signal), 'imageFilesystems', read.filesystem),

    [Symbol.asyncDispose]: async () => channel[Symbol.dispose](),
  }
}
