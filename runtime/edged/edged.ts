import { readdir } from 'node:fs/promises'
import type { Module } from '../../platform/lifecycle/index.ts'
import { seconds } from '../../platform/time/index.ts'
import { assignedPods } from '../../schemas/index.ts'
import { countedChannel } from './cri/counted-channel.ts'
import { runtimeOver } from './cri/cri-runtime.ts'
import { isSocketThere, lateChannel, USUAL_SOCKETS } from './cri/late-channel.ts'
import { keepNodeFacts } from './node/node-facts.ts'
import type { EdgedOptions, EdgedPorts } from './options.ts'
import { Places } from './places.ts'
import { serveEdged } from './server/edged-server.ts'
import type { ServedPods } from './server/served-pods.ts'

export interface EdgedModule extends Module {
  /** Path of the unix socket of its kubelet server; undefined before its start. */
  socket(): string | undefined
}

/** A container runtime may be installed at any time. */
const LOOK_EVERY = seconds(10)

/**
 * Edged: runs the pods that this node has to have. Its start waits neither for a container runtime nor for the cloud. What it takes to run
 * pods is loaded when there is a runtime or a pod: a node that has neither pays for none.
 */
export function createEdgedModule(options: EdgedOptions, ports: EdgedPorts): EdgedModule {
  let socket: string | undefined
  return {
    name: 'Edged',
    socket: () => socket,
    async start(scope) {
      const sockets = options.runtime === undefined ? USUAL_SOCKETS : [options.runtime]
      const runtime = scope.use(runtimeOver(countedChannel(lateChannel(sockets, ports.clock), ports.metrics)))
      const { maxPods, reserved } = options
      const facts = {
        ...ports,
        runtime,
        endpoint: sockets.join(', '),
        maxPods,
        reserved: { ...reserved, diskBytes: 0 },
      }
      scope.run((signal) => keepNodeFacts(facts, signal))
      let pods: ServedPods | undefined
      const { directory, socketFolder, port } = options
      const server = { folder: socketFolder, ...(port === undefined ? {} : { port }) }
      socket = await serveEdged(server, { ...ports, directory, runtime, pods: () => pods }, scope)
      const begin = async () => {
        const { startPods } = await import('./pods-of-node.ts')
        pods = await startPods(options, { ...ports, runtime }, scope)
      }
      if (await isNeeded(options, ports, sockets)) await begin()
      else
        scope.run((signal) => untilNeeded(options, ports, sockets, signal).then((isIt) => (isIt ? begin() : undefined)))
    },
  }
}

async function isNeeded(options: EdgedOptions, { bus }: EdgedPorts, sockets: readonly string[]): Promise<boolean> {
  if (options.staticPods !== undefined || bus.list(assignedPods).size > 0) return true
  if (await isSocketThere(sockets)) return true
  const left = await readdir(new Places(options.directory, options.logs).pods).catch(() => [])
  return left.length > 0
}

/** False where the signal came first. */
async function untilNeeded(
  options: EdgedOptions,
  ports: EdgedPorts,
  sockets: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  const { bus, clock } = ports
  const wake = new AbortController()
  using _pods = bus.watch(assignedPods, () => wake.abort())
  const stop = () => wake.abort()
  signal.addEventListener('abort', stop, { once: true })
  while (!wake.signal.aborted) {
    await clock.sleep(LOOK_EVERY, wake.signal).catch(() => undefined)
    if (await isNeeded(options, ports, sockets)) break
  }
  signal.removeEventListener('abort', stop)
  return !signal.aborted
}
