import { type JsonObject, quantityText } from '../../../schemas/index.ts'
import { listIn, objectIn, textIn } from '../pod/json.ts'
import type { Pod } from '../pod/pod.ts'
import type { Container, Resources } from '../pod/schema/container.ts'
import type { ContainerRecord } from './container-record.ts'
import { shownState } from './container-state.ts'

/** A ContainerStatus of Kubernetes. */
export function containerStatus(record: ContainerRecord): JsonObject {
  const { container, state, last, restartCount, isStarted, isReady, containerId, image, imageId } = record
  return {
    name: container.name,
    state: shownState(state),
    lastState: shownState(last),
    ready: isReady,
    restartCount,
    image,
    imageID: imageId,
    ...(containerId === '' ? {} : { containerID: containerId, ...resources(container.resources) }),
    started: isStarted,
    ...volumeMounts(container),
  }
}

/** Debug containers that were added to the pod: none is run here, which each says itself. */
export function ephemeralStatuses(pod: Pod): readonly JsonObject[] {
  return listIn(objectIn(pod.source, 'spec'), 'ephemeralContainers').map((each) => {
    const message = 'this node does not run ephemeral containers; use kubectl exec where the image has a shell'
    return {
      name: textIn(each, 'name') ?? '',
      state: { waiting: { reason: 'NotSupported', message } },
      lastState: {},
      ready: false,
      restartCount: 0,
      image: textIn(each, 'image') ?? '',
      imageID: '',
    }
  })
}

/** What it was made with. */
function resources({ limits, requests }: Resources): JsonObject {
  const written = (amounts: Resources['limits']) =>
    Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, quantityText(amount)]))
  const has = (amounts: Resources['limits']) => Object.keys(amounts).length > 0
  return {
    ...(has(requests) ? { allocatedResources: written(requests) } : {}),
    resources: {
      ...(has(limits) ? { limits: written(limits) } : {}),
      ...(has(requests) ? { requests: written(requests) } : {}),
    },
  }
}

function volumeMounts({ volumeMounts: mounts }: Container): JsonObject {
  if (mounts.length === 0) return {}
  return {
    volumeMounts: mounts.map(({ name, mountPath, readOnly }) => ({
      ...{ name, mountPath },
      ...(readOnly ? { readOnly, recursiveReadOnly: 'Disabled' } : {}),
    })),
  }
}
