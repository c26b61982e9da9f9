import { constants } from 'node:fs'
import { mkdir, open, readdir, realpath } from 'node:fs/promises'
import { dirname, isAbsolute, join, posix } from 'node:path'
import { hasCode } from '../../../../platform/lifecycle/index.ts'
import type { Mount } from '../../cri/runtime.ts'
import type { Places } from '../../places.ts'
import type { PodFacts } from '../../pod/facts.ts'
import type { Pod, PodIdentity } from '../../pod/pod.ts'
import type { Container } from '../../pod/schema/container.ts'
import { shortHostname } from '../../pod/short-hostname.ts'
import { removeTree } from '../folders/remove-tree.ts'
import { cannotMount, whyNot } from '../obstacles.ts'
import { PodLayout } from '../pod-layout.ts'
import { hostsText } from './hosts-text.ts'

/** Files that each container gets of its node, beside its volumes. */
export interface ContainerFiles {
  /**
   * /etc/hosts of the pod, and the file for what the container says at its end; when the sandbox is there, before each start of a
   * container. What the container mounts there itself stands. `attempt` counts its starts. Rejects with an ObstacleError.
   */
  mountsOf(pod: Pod, container: Container, attempt: number, facts: PodFacts): Promise<readonly Mount[]>
  /** What it said at its end, the last 4096 bytes of it; empty for nothing. Of the attempt before the newest it is kept as well. */
  lastWords(pod: PodIdentity, container: string, attempt: number): Promise<string>
}

export interface ContainerFilesPorts {
  readonly places: Places
  /** Of names of pods with a subdomain. */
  readonly clusterDomain?: string
  /** Of this node. */
  readonly hostsFile?: string
}

const HOSTS = '/etc/hosts'
const LARGEST_HOSTS = 1024 * 1024
/** Kubernetes, MaxContainerTerminationMessageLength. */
const LONGEST_WORDS = 4096
const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants

export function createContainerFiles({
  places,
  clusterDomain = 'cluster.local',
  hostsFile = HOSTS,
}: ContainerFilesPorts): ContainerFiles {
  return {
    async mountsOf(pod, container, attempt, facts) {
      const layout = new PodLayout(places, pod.uid)
      const taken = new Set(container.volumeMounts.map(({ mountPath }) => posix.resolve('/', mountPath)))
      const path = container.terminationMessagePath
      try {
        const mounts: Mount[] = []
        if (!taken.has(HOSTS)) mounts.push(await hostsMount(pod, facts, layout))
        if (path !== '' && !taken.has(posix.resolve('/', path))) {
          if (!isAbsolute(path)) throw new Error(`terminationMessagePath ${path} has to be absolute`)
          mounts.push(await lastWordsMount(layout.lastWords(container.name, attempt), attempt, path))
        }
        return mounts
      } catch (error) {
        throw cannotMount(container.name, whyNot(error), error)
      }
    },
    async lastWords({ uid }, container, attempt) {
      return readEnd(new PodLayout(places, uid).lastWords(container, attempt), LONGEST_WORDS)
    },
  }

  async function hostsMount(pod: Pod, { podIps }: PodFacts, layout: PodLayout): Promise<Mount> {
    const { hostNetwork, hostAliases } = pod.spec
    const onNode = hostNetwork ? { ips: [], nodeText: await nodeHosts() } : { ips: podIps }
    await writeIfOther(layout.hosts, hostsText({ ...onNode, names: namesOf(pod, clusterDomain), aliases: hostAliases }))
    return { containerPath: HOSTS, hostPath: layout.hosts, readonly: false, selinuxRelabel: true }
  }

  /** Some systems have a link there. */
  async function nodeHosts(): Promise<string> {
    return readEnd(await realpath(hostsFile).catch(() => hostsFile), LARGEST_HOSTS)
  }
}

/** Its full name first, where it has a subdomain. */
function namesOf(pod: Pod, clusterDomain: string): readonly string[] {
  const hostname = shortHostname(pod)
  const { subdomain = '' } = pod.spec
  return subdomain === '' ? [hostname] : [`${hostname}.${subdomain}.${pod.namespace}.svc.${clusterDomain}`, hostname]
}

/** In place: running containers have this very file. */
async function writeIfOther(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await using file = await open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o644)
  const { size } = await file.stat()
  if (size === Buffer.byteLength(text) && (await file.readFile('utf8')) === text) return
  await file.truncate(0)
  await file.write(text, 0)
  await file.chmod(0o644)
}

/** One file for each start of the container; those of the last but one and before go. */
async function lastWordsMount(file: string, attempt: number, path: string): Promise<Mount> {
  const folder = dirname(file)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const name of await readdir(folder)) {
    const number = /^last-words-(\d+)$/.exec(name)?.[1]
    if (number !== undefined && Number(number) < attempt - 1) await removeTree(join(folder, name))
  }
  await using made = await open(file, O_RDWR | O_CREAT | O_NOFOLLOW, 0o666)
  // Whoever the container runs as.
  await made.chmod(0o666)
  return { containerPath: path, hostPath: file, readonly: false, selinuxRelabel: true }
}

async function readEnd(path: string, most: number): Promise<string> {
  try {
    await using file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    const found = await file.stat()
    if (!found.isFile()) return ''
    const bytes = Buffer.alloc(Math.min(most, found.size))
    const { bytesRead } = await file.read(bytes, 0, bytes.length, Math.max(0, found.size - most))
    return bytes.subarray(0, bytesRead).toString('utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ELOOP')) return ''
    throw error
  }
}
