import type { ContainerConfig, Image, Labels, Mount } from '../cri/runtime.ts'
import { expand } from '../pod/expand.ts'
import type { PodFacts } from '../pod/facts.ts'
import type { Pod } from '../pod/pod.ts'
import type { Container } from '../pod/schema/container.ts'
import { ANNOTATIONS, LABELS, podLabels } from '../state/labels.ts'
import { containerHash } from './hash.ts'
import { linuxResources } from './resources.ts'
import { containerSecurity } from './security.ts'

export interface ContainerInput {
  readonly pod: Pod
  readonly container: Container
  /** How many containers of this name the pod had before it. */
  readonly attempt: number
  readonly environment: ReadonlyMap<string, string>
  readonly mounts: readonly Mount[]
  readonly image: Image
  readonly owner: string
  readonly facts: PodFacts
  /** Relative to the log directory of the sandbox. */
  readonly logPath: string
  /** Those that this node has (`2MB`). */
  readonly hugepageSizes?: readonly string[]
}

/** What a container runtime has to make. Throws an ObstacleError, reason `CreateContainerConfigError`, where it must not be made. */
export function containerConfig(input: ContainerInput): ContainerConfig {
  const { pod, container, attempt, environment, mounts, image, owner, facts, logPath, hugepageSizes } = input
  const expanded = (texts: readonly string[]) => texts.map((text) => expand(text, (name) => environment.get(name)))
  const { memoryBytes } = facts.allocatable
  return {
    metadata: { name: container.name, attempt },
    // By its id: a tag may have moved on since the image was chosen.
    image: { image: image.id },
    command: expanded(container.command),
    args: expanded(container.args),
    ...(container.workingDir ? { workingDir: container.workingDir } : {}),
    envs: [...environment].map(([key, value]) => ({ key, value: Buffer.from(value) })),
    mounts,
    labels: { ...podLabels(pod, owner), [LABELS.containerName]: container.name },
    annotations: annotationsOf(container, attempt),
    ...{ logPath, stdin: container.stdin, stdinOnce: container.stdinOnce, tty: container.tty },
    linux: {
      resources: linuxResources({ pod, container, memoryBytes, ...(hugepageSizes ? { hugepageSizes } : {}) }),
      securityContext: containerSecurity(pod, container, image),
    },
  }
}

function annotationsOf(container: Container, attempt: number): Labels {
  return {
    [ANNOTATIONS.hash]: containerHash(container),
    [ANNOTATIONS.restartCount]: String(attempt),
    [ANNOTATIONS.terminationMessagePath]: container.terminationMessagePath,
    [ANNOTATIONS.terminationMessagePolicy]: container.terminationMessagePolicy,
  }
}
