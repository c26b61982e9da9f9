import { parseQuantity, wholeOf } from '../../../schemas/index.ts'
import { isPlainName } from './plain-name.ts'
import type { PodIdentity } from './pod.ts'
import type { Container } from './schema/container.ts'
import type { Amount } from './schema/parts.ts'
import type { PodSpec } from './schema/pod-spec.ts'

/** What is wrong with a pod though each of its fields is of the right form; for people. */
export function specProblem(identity: PodIdentity, spec: PodSpec): string | undefined {
  const all = [...spec.initContainers, ...spec.containers]
  return (
    nameProblem(identity, all) ?? twins(all) ?? policyProblem(spec) ?? mountProblem(spec, all) ?? amounts(spec, all)
  )
}

/** Names become parts of paths. An API server takes no others, and whoever sends them all the same means harm. */
function nameProblem({ uid, name, namespace }: PodIdentity, all: readonly Container[]): string | undefined {
  const names = [
    ['metadata.uid', uid] as const,
    ['metadata.name', name] as const,
    ['metadata.namespace', namespace] as const,
    ...all.map((each) => ['container name', each.name] as const),
  ]
  const bad = names.find((each) => !isPlainName(each[1]))
  if (!bad) return undefined
  const [what, text] = bad
  const rule =
    'it has to be of letters, digits, "-" and ".", begin and end with a letter or digit, and have at most 253'
  return `${what} ${shown(text)} is not valid: ${rule}`
}

function twins(all: readonly Container[]): string | undefined {
  const names = new Set<string>()
  for (const { name } of all) {
    if (names.has(name)) return `two containers are called ${name}`
    names.add(name)
  }
  return undefined
}

function policyProblem({ containers }: PodSpec): string | undefined {
  const sidecarHere = containers.find(({ restartPolicy }) => restartPolicy !== undefined)
  if (!sidecarHere) return undefined
  return `spec.containers: ${sidecarHere.name} has a restartPolicy of its own, which only init containers have here`
}

function mountProblem(spec: PodSpec, all: readonly Container[]): string | undefined {
  const volumes = new Set(spec.volumes.map(({ name }) => name))
  for (const { name, volumeMounts } of all) {
    const missing = volumeMounts.find((mount) => !volumes.has(mount.name))
    if (missing) return `container ${name} mounts volume ${missing.name}, which spec.volumes does not have`
  }
  return undefined
}

const RESOURCE = /^(cpu|memory|ephemeral-storage|hugepages-.+)$/
/** Kubernetes keeps amounts in 64 bits, and so does a container runtime. */
const MOST = 2n ** 63n - 1n

/** A limit that cannot be read would be none, and nobody would know. */
function amounts({ volumes }: PodSpec, all: readonly Container[]): string | undefined {
  for (const { name, resources } of all) {
    for (const list of ['limits', 'requests'] as const) {
      for (const [resource, amount] of Object.entries(resources[list])) {
        const place = `container ${name}: resources.${list}.${resource.slice(0, 100)}`
        if (!RESOURCE.test(resource)) return `${place} is not supported on this node`
        if (!isAmount(amount)) return `${place} ${shown(String(amount))} is not an amount`
      }
    }
  }
  for (const { name, emptyDir } of volumes) {
    const limit = emptyDir?.sizeLimit
    if (limit !== undefined && !isAmount(limit))
      return `volume ${name}: sizeLimit ${shown(String(limit))} is not an amount`
  }
  return undefined
}

function isAmount(amount: Amount): boolean {
  const quantity = parseQuantity(amount)
  return quantity !== undefined && quantity >= 0n && wholeOf(quantity) <= MOST
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 100))
}
