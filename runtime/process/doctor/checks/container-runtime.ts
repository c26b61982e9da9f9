import { constants } from 'node:fs'
import { access, readFile } from 'node:fs/promises'
import { describeError } from '../../../../platform/lifecycle/index.ts'
import { systemClock } from '../../../../platform/time/index.ts'
import { openContainerRuntime, type RuntimeStatus, USUAL_SOCKETS } from '../../../edged/index.ts'
import { type Check, type Finding, fail, ok, warn } from '../finding.ts'
import { GUIDE, installCommands, parseOsRelease, pluginFolder, SAMPLE_NETWORK, type System } from '../install-advice.ts'

/** What runs pods, as far as one that only looks can tell. */
export const containerRuntime: Check = {
  name: 'containers',
  async run({ edge, kind }, signal) {
    if (kind === 'cloud') return []
    if (edge?.config.edged.enabled === false) return [ok('this node runs no pods (edged.enabled: false)')]
    const system = parseOsRelease(await readFile('/etc/os-release', 'utf8').catch(() => ''))
    const named = edge?.config.edged.runtime
    const sockets = (named === undefined ? USUAL_SOCKETS : [named]).map((path) => path.replace(/^unix:\/\//, ''))
    const socket = await firstPresent(sockets)
    if (socket === undefined) return [missing(sockets, system)]
    const isOurs = await isAllowed(socket, constants.R_OK | constants.W_OK)
    if (!isOurs)
      return [warn(`the container runtime at ${socket} is not for this user`, 'run skerry edge, and this, as root')]
    return [...(await asked(socket, system, signal)), ...(await oomScores())]
  },
}

function missing(sockets: readonly string[], system: System): Finding {
  const commands = installCommands(system) ?? ['install containerd, runc and the CNI plugins']
  return warn(
    `there is no container runtime (no socket at ${sockets.join(', ')}): pods of this node stay Pending; all else works`,
    ['as root:', ...commands.map((line) => `  ${line}`), `then give it a network: see ${GUIDE}`].join('\n'),
  )
}

async function asked(socket: string, system: System, signal: AbortSignal): Promise<readonly Finding[]> {
  await using runtime = await openContainerRuntime(socket, systemClock)
  try {
    const { name, version } = await runtime.version(signal)
    return [ok(`${name} ${version} answers at ${socket}`), ...judgeRuntime(await runtime.status(signal), system)]
  } catch (error) {
    return [judgeSilence(socket, describeError(error))]
  }
}

export function judgeSilence(socket: string, said: string): Finding {
  if (/unknown service|unimplemented/i.test(said)) {
    return fail(
      `what listens at ${socket} does not speak CRI v1: ${said}`,
      'in /etc/containerd/config.toml take "cri" out of disabled_plugins (packages of Docker put it there), then\nsystemctl restart containerd',
    )
  }
  return fail(
    `the container runtime at ${socket} does not answer: ${said}`,
    'systemctl status containerd; journalctl -u containerd',
  )
}

/** CRI v1, RuntimeCondition: RuntimeReady and NetworkReady. */
export function judgeRuntime({ conditions }: Pick<RuntimeStatus, 'conditions'>, system: System): readonly Finding[] {
  return conditions
    .filter(({ type }) => type === 'RuntimeReady' || type === 'NetworkReady')
    .map(({ type, status, message, reason }) => {
      if (type === 'RuntimeReady') {
        return status
          ? ok('it is ready for containers')
          : fail(`it is not ready for containers: ${message || reason}`, 'journalctl -u containerd')
      }
      return status ? ok('it has a network for pods') : noNetwork(message || reason, system)
    })
}

function noNetwork(why: string, system: System): Finding {
  const folder = pluginFolder(system)
  return fail(
    `it has no network for pods, and only those with hostNetwork: true start: ${why}`,
    [
      `1. network plugins: they are in ${folder} (package containernetworking-plugins or cni-plugins); where that is not`,
      '   /opt/cni/bin, /etc/containerd/config.toml has to name it:',
      '   [plugins."io.containerd.grpc.v1.cri".cni]',
      `     bin_dir = "${folder}"`,
      '2. a network, such as',
      ...SAMPLE_NETWORK.split('\n').map((line) => `   ${line}`),
      `3. systemctl restart containerd. More in ${GUIDE}`,
    ].join('\n'),
  )
}

/** capabilities(7): CAP_SYS_RESOURCE, without which a process may not be made safer from the OOM killer. */
const SYS_RESOURCE = 1n << 24n

async function oomScores(): Promise<readonly Finding[]> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '')
  return judgeCapabilities(status, process.getuid?.() === 0)
}

export function judgeCapabilities(status: string, isRoot: boolean): readonly Finding[] {
  const held = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1]
  if (!isRoot || held === undefined || (BigInt(`0x${held}`) & SYS_RESOURCE) !== 0n) return []
  return [
    warn(
      'root may not lower OOM scores here (no CAP_SYS_RESOURCE, as inside some containers and VMs): sandboxes may fail to start',
      'in /etc/containerd/config.toml, under [plugins."io.containerd.grpc.v1.cri"]: restrict_oom_score_adj = true',
    ),
  ]
}

async function firstPresent(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if (await isAllowed(path, constants.F_OK)) return path
  return undefined
}

function isAllowed(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  )
}
